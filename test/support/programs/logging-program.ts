// A program that logs and ends, for tests of the log under every kind of stderr.
// Arguments: number of lines, milliseconds to flush, then `json`, `syslog`, `fd=N` (the connection), `uid=N`, `warn` (the runtime
// has something to say, too) as wanted.

import { writeSync } from 'node:fs';
import { openLog } from '../../../src/system/log/log.js';

const [lineCount = '1', flushMs = '1000', ...settings] = process.argv.slice(2);

const uid = settings.find((setting) => setting.startsWith('uid='));
if (uid !== undefined) process.setuid?.(Number(uid.slice(4)));

const log = await openLog({
  program: 'logging',
  format: settings.includes('json') ? 'json' : 'logfmt',
  destination: settings.includes('syslog') ? 'syslog' : 'stderr',
  connectionFds: settings
    .filter((setting) => setting.startsWith('fd='))
    .map((setting) => Number(setting.slice(3))),
});
if (settings.includes('warn')) process.emitWarning('said by the runtime');
for (let number = 1; number <= Number(lineCount); number += 1) {
  log.write('counted', { number, filler: 'x'.repeat(200) });
}
writeSync(1, 'written\n');
await log.flush(Number(flushMs));
writeSync(1, 'flushed\n');
