// What a kept worker tells clients while Dovecot's auth service hangs, is stopped, is killed and comes back.

import { join } from 'node:path';
import t from 'tap';
import { isDecided } from '../support/accounts/login-stream.js';
import { serveLogins } from '../support/accounts/served-logins.js';
import { unlessInstalled, unlessRoot } from '../support/peers/debian.js';
import { startDovecotAuth } from '../support/peers/dovecot-auth.js';
import { poll } from '../support/suite/deadline.js';
import { testFolder } from '../support/suite/test-folder.js';

t.test(
  "Dovecot's auth service hanging, stopped, killed and back: no untrue answer, none late, nothing grows",
  { skip: unlessInstalled('dovecot') || unlessRoot() },
  async (t) => {
    const users = join(
      testFolder(t, { users: 'ann@example.org:{PLAIN}secret:65534:65534::/srv/ann\n' }),
      'users',
    );
    const dovecot = await startDovecotAuth(
      t,
      ['passdb', 'userdb']
        .map((block) => `${block} {\n  driver = passwd-file\n  args = ${users}\n}\n`)
        .join(''),
    );
    const terms = { perSecond: 50, longestMs: 12_000 };
    const served = await serveLogins(t, `dovecot:${dovecot.directory}`, terms);
    const { stream } = served;

    dovecot.freeze();
    t.notOk((await stream.next(60)).some(isDecided), 'hanging: nothing is made up');
    dovecot.thaw();
    await stream.decides('after it went on');
    await dovecot.stop();
    await poll('its last child ends', async () =>
      (await stream.next(5)).some(isDecided) ? undefined : true,
    );
    t.notOk((await stream.next(60)).some(isDecided), 'stopped: nothing is made up');
    await dovecot.start();
    await stream.decides('after it was started');
    await dovecot.kill();
    t.notOk((await stream.next(60)).some(isDecided), 'killed: nothing is made up');
    await dovecot.start();
    await stream.decides('after it was started again', 20);
    await served.see();
  },
);
