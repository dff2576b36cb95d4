import t from 'tap';
import { shaCryptOnThread } from '../../../../src/auth/stored/sha-crypt-worker.js';

const hash =
  '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1';

t.test('hashes that are asked for all at once all come', async (t) => {
  const password = Buffer.from('Hello world!');
  const hashes = [1, 2, 3].map(() => shaCryptOnThread(password, hash));
  t.same(await Promise.all(hashes), [hash, hash, hash]);
});

t.test('a malformed setting is an error, and the next request is answered', async (t) => {
  await t.rejects(shaCryptOnThread(Buffer.from('x'), '$1$salt'), /malformed setting/);
  t.match(await shaCryptOnThread(Buffer.from('x'), '$5$salt'), /^\$5\$salt\$/);
});
