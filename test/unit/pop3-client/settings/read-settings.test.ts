import t from 'tap';
import { pop3getOptionTable } from '../../../../src/pop3-client/settings/option-table.js';
import { readSettings } from '../../../../src/pop3-client/settings/read-settings.js';
import { parseCommandLine } from '../../../../src/system/program/options.js';

t.test(
  'an internationalized domain is its A-label on the wire, and as given in the journal',
  async (t) => {
    const commandLine = parseCommandLine(pop3getOptionTable, ['m\u00fcnchen.test', 'ann'], {});
    const { location, account } = await readSettings(
      commandLine,
      { kind: 'password', password: Buffer.from('secret') },
      {},
    );
    t.equal(location.domain, 'xn--mnchen-3ya.test');
    t.equal(account, 'ann@m\u00fcnchen.test');
  },
);
