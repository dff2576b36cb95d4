import t from 'tap';
import { shaCrypt } from '../../../../src/auth/stored/sha-crypt.js';

// The specification's settings (Drepper, "Unix crypt using SHA-256 and SHA-512"), as the C library hashes them.
const hashes = [
  '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
  '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA',
  '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
];

t.test("hashes are crypt(3)'s, also when they are asked for all at once", async (t) => {
  const settings = hashes.map((hash) => hash.slice(0, hash.lastIndexOf('$')));
  const password = Buffer.from('Hello world!');
  t.same(await Promise.all(settings.map((setting) => shaCrypt(password, setting))), hashes);
});

t.test('a malformed setting is an error, and the next request is answered', async (t) => {
  await t.rejects(shaCrypt(Buffer.from('x'), '$5$salt$with$more'), /Invalid salt/);
  await t.rejects(shaCrypt(Buffer.from('x'), '$1$salt'), /sha256 and sha512/);
  t.match(await shaCrypt(Buffer.from('x'), '$5$salt'), /^\$5\$salt\$/);
});
