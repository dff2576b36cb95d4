// The receiver that the settings name.

import type { HandOverSettings, Settings } from '../settings/settings.js';
import { CommandReceiver } from './command.js';
import { GmailReceiver } from './gmail.js';
import { LmtpReceiver } from './lmtp.js';
import type { Receiver } from './receiver.js';

export function makeReceiver(
  settings: HandOverSettings,
  { account, timeoutMs }: Pick<Settings, 'account' | 'timeoutMs'>,
  signal: AbortSignal,
): Receiver {
  switch (settings.kind) {
    case 'lmtp':
      return new LmtpReceiver({ ...settings, timeoutMs, signal });
    case 'command':
      return new CommandReceiver({ ...settings, account, signal });
    case 'gmail':
      return new GmailReceiver({ ...settings, signal });
  }
}
