import { execFileSync } from 'node:child_process';
import t from 'tap';
import { shaCrypt } from '../../../../src/auth/stored/sha-crypt.js';

// The specification's settings (Drepper, "Unix crypt using SHA-256 and SHA-512"), as the C library hashes them.
const hashes = [
  '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
  '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA',
  '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
];

t.test("hashes are the specification's", (t) => {
  for (const hash of hashes) t.equal(shaCrypt(Buffer.from('Hello world!'), hash), hash);
  t.throws(() => shaCrypt(Buffer.from('x'), '$1$salt'), /malformed setting/);
  t.end();
});

/** What crypt(3) makes of each password, in one process. */
function systemHashes(passwords: readonly string[], settings: readonly string[]): string[] {
  const script = `
    my @settings = split / /, shift @ARGV;
    chomp(my @passwords = <STDIN>);
    for my $setting (@settings) { print crypt($_, $setting), "\\n" for @passwords }`;
  const input = `${passwords.join('\n')}\n`;
  const output = execFileSync('perl', ['-e', script, settings.join(' ')], { input });
  return output.toString().trimEnd().split('\n');
}

t.test('passwords of every length are hashed as crypt(3) does', (t) => {
  // crypt(3) takes 511 octets; multiples of the digest's length came out wrong once.
  const passwords = Array.from({ length: 512 }, (_, length) =>
    String.fromCharCode(...Array.from({ length }, (_, index) => 33 + ((index * 7 + length) % 90))),
  );
  const settings = ['$5$rounds=1000$saltsalt', '$6$rounds=1000$saltsalt'];
  const expected = systemHashes(passwords, settings);
  const found = settings.flatMap((setting) =>
    passwords.map((password) => shaCrypt(Buffer.from(password), setting)),
  );
  t.equal(expected.length, 1024);
  t.strictSame(found, expected);
  t.end();
});

t.test('salts and rounds are taken as crypt(3) takes them', (t) => {
  const settings = ['$6$a+b=_-,c', '$5$', '$6$rounds=4321$abcdefghijklmnopq'];
  const expected = systemHashes(['secret'], settings);
  t.strictSame(
    settings.map((setting) => shaCrypt(Buffer.from('secret'), setting)),
    expected,
  );
  t.end();
});
