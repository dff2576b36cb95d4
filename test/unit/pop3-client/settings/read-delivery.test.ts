import t from 'tap';
import { pop3getOptionTable } from '../../../../src/pop3-client/settings/option-table.js';
import { readDelivery, readDirectory } from '../../../../src/pop3-client/settings/read-delivery.js';
import type { DeliverySettings } from '../../../../src/pop3-client/settings/settings.js';
import { parseCommandLine } from '../../../../src/system/program/options.js';

function read(...args: readonly string[]): DeliverySettings {
  const { options } = parseCommandLine(pop3getOptionTable, args, {});
  return readDelivery(options, { kind: 'password', password: Buffer.from('x') });
}

t.test('where mail can go', (t) => {
  t.same(read(), { kind: 'maildir' });
  t.same(read('--deliver', 'lmtp:/run/dovecot/lmtp', '--recipient', 'ann@x'), {
    ...{ kind: 'lmtp', address: { kind: 'socket', path: '/run/dovecot/lmtp' }, recipient: 'ann@x' },
  });
  t.match(read('--deliver', 'lmtp:[::1]:24', '--recipient', 'ann'), {
    address: { kind: 'tcp', host: '::1', port: 24 },
  });
  t.same(read('--deliver', 'command:deliver -d "a: b"'), {
    ...{ kind: 'command', command: 'deliver -d "a: b"', recipient: null },
  });
  t.match(read('--deliver', 'gmail', '--gmail-token-command', 'x'), {
    base: 'https://gmail.googleapis.com',
  });
  t.end();
});

t.test('what is wrong or missing is named', (t) => {
  for (const [args, error] of [
    [['--deliver', 'mbox'], /needs maildir, lmtp:HOST:PORT/],
    [['--deliver', 'command:'], /needs maildir/],
    [['--deliver', 'lmtp:/s'], /needs --recipient/],
    [['--deliver', 'lmtp:host', '--recipient', 'a'], /needs lmtp:HOST:PORT/],
    [['--deliver', 'lmtp:host:0', '--recipient', 'a'], /needs lmtp:HOST:PORT/],
    [['--deliver', 'lmtp:/s', '--recipient', 'a>\r\nDATA'], /--recipient needs an address/],
    [['--deliver', 'gmail'], /--gmail-token-command/],
    [['--deliver', 'gmail:http://mail.example', '--gmail-token-command', 'x'], /begin with https/],
  ] as const) {
    t.throws(() => read(...args), { message: error });
  }
  t.end();
});

t.test('state is in the state directory, unless a directory is given', (t) => {
  const { options } = parseCommandLine(pop3getOptionTable, [], {});
  const command: DeliverySettings = { kind: 'command', command: 'x', recipient: null };
  t.equal(readDirectory(options, command, { XDG_STATE_HOME: '/s' }), '/s/pop3get');
  t.match(readDirectory(options, command, {}), /\/\.local\/state\/pop3get$/);
  t.equal(readDirectory(options, { kind: 'maildir' }, {}), process.cwd());
  t.end();
});
