import t from 'tap';
import { maxNameOctets, tryLoginName } from '../../../../src/auth/accounts/login-name.js';

const rows: readonly (readonly [sent: string | Buffer, user: string, domain: string])[] = [
  ['anna@example.org', 'anna', 'example.org'],
  ['Anna@EXAMPLE.Org', 'anna', 'example.org'],
  ['anna@example.org.', 'anna', 'example.org'],
  ['anna@example.org..', 'anna', 'example.org.'],
  ['anna', 'anna', 'default.example'],
  ['a@b@example.org', 'a@b', 'example.org'],
  ['anna+tag@example.org', 'anna+tag', 'example.org'],
  ['anna+@example.org', 'anna+', 'example.org'],
  ['+anna@example.org', '+anna', 'example.org'],
  ['a%00b@x', 'a%00b', 'x'],
  ['a\\b@x', 'a\\b', 'x'],
  ["a' OR 1=1--@x", "a' or 1=1--", 'x'],
  ['%u%d%{home}@x', '%u%d%{home}', 'x'],
  ['Ärger@Bücher.example', 'Ärger', 'bücher.example'],
  ['\u212aelvin@x', '\u212aelvin', 'x'],
  ['..@..', '..', '.'],
  [`${'u'.repeat(maxNameOctets)}@${'d'.repeat(maxNameOctets)}`, 'u'.repeat(255), 'd'.repeat(255)],
  [`${'u'.repeat(252)}/@x`, `${'u'.repeat(252)}/`, 'x'],
];

for (const [sent, user, domain] of rows) {
  t.test(`${JSON.stringify(sent).slice(0, 40)} is a login name`, (t) => {
    t.same(tryLoginName(Buffer.from(sent), 'Default.Example.'), { user, domain });
    t.end();
  });
}

const refused: readonly (readonly [why: string, sent: string | Buffer])[] = [
  ['an empty name', ''],
  ['an empty user', '@example.org'],
  ['an empty domain', 'anna@'],
  ['a domain that is a dot', 'anna@.'],
  ['a NUL', 'an\0na@x'],
  ['a line feed', 'anna\n@x'],
  ['a carriage return', 'anna\r@x'],
  ['a carriage return in the domain', 'anna@x\r'],
  ['a NUL at the end', 'anna@x\0'],
  ['a tag of 4 KiB', `anna+${'t'.repeat(4096)}@x`],
  ['a DEL', 'anna\x7f@x'],
  ['a C1 control character', 'anna\u0085@x'],
  ['octets that are not UTF-8', Buffer.from([0x61, 0xff, 0x40, 0x78])],
  ['an overlong encoding', Buffer.from([0xc0, 0xaf, 0x40, 0x78])],
  ['256 octets of user', `${'u'.repeat(256)}@x`],
  ['256 octets of domain', `u@${'d'.repeat(256)}`],
  ['255 octets of which one is encoded', `${'u'.repeat(254)}/@x`],
  ['255 octets with a leading dot', `.${'u'.repeat(254)}@x`],
  ['a megabyte', Buffer.alloc(1 << 20, 0x61)],
];

for (const [why, sent] of refused) {
  t.test(`${why} is refused`, (t) => {
    t.equal(tryLoginName(Buffer.from(sent), 'default.example'), null);
    t.end();
  });
}

t.test('a name without @ is refused when there is no default domain', (t) => {
  t.equal(tryLoginName(Buffer.from('anna'), undefined), null);
  t.end();
});
