import t from 'tap';
import type { Authenticator, Verdict } from '../../../../src/auth/accounts/authenticator.js';
import { plainClient } from '../../../../src/auth/mechanisms/sasl-client.js';
import {
  createSaslExchange,
  offeredMechanisms,
  type SaslMechanismName,
} from '../../../../src/auth/mechanisms/sasl-mechanisms.js';
import type { SaslExchange } from '../../../../src/auth/mechanisms/sasl-mechanism.js';
import { unlimited } from '../../../../src/auth/accounts/grant.js';

const identity = { user: 'anna', domain: 'example.org' };

/** Accepts anna with "se cret"; `scram` says whether it has passwords for SCRAM. */
function account(scram = true): Authenticator {
  const verifyPassword = (name: Buffer, password: Buffer): Promise<Verdict> =>
    Promise.resolve(
      name.toString() === 'locked'
        ? { verdict: 'unavailable', isLasting: true, reason: 'locked' }
        : name.toString() === 'anna' && password.toString() === 'se cret'
          ? { verdict: 'accepted', identity, grant: unlimited }
          : { verdict: 'rejected', reason: 'wrong password' },
    );
  const unused = (): never => {
    throw new Error('not part of this mechanism');
  };
  return {
    verifyPassword,
    lookUpScram: unused,
    lookUpPlain: unused,
    offersScram: () => Promise.resolve(scram),
    leastDays: () => Promise.resolve(null),
    close: unused,
  };
}

function exchange(name: SaslMechanismName): SaslExchange {
  return createSaslExchange(name, { authenticator: account(), channelBindings: null });
}

const accepted = { step: 'accepted', identity, grant: unlimited };

t.test('PLAIN accepts a right message, at once or after an empty challenge', async (t) => {
  const message = Buffer.from('\0anna\0se cret');
  t.same(await exchange('PLAIN').start(message), accepted);
  const later = exchange('PLAIN');
  t.same(await later.start(null), { step: 'challenge', challenge: Buffer.alloc(0) });
  t.same(await later.respond(message), accepted);
  t.same(await exchange('PLAIN').start(Buffer.from('anna\0anna\0se cret')), accepted);
});

t.test('PLAIN refuses the rest, and says which name was given', async (t) => {
  const rows: readonly (readonly [message: string, reason: string, name: string | null])[] = [
    ['', 'malformed PLAIN message', null],
    ['\0anna', 'malformed PLAIN message', null],
    ['anna se cret', 'malformed PLAIN message', null],
    ['otto\0anna\0se cret', 'asked to act as another user', 'anna'],
    ['\0anna\0se cret\0', 'wrong password', 'anna'],
    ['\0anna\0', 'wrong password', 'anna'],
    ['\0\0', 'wrong password', ''],
  ];
  for (const [message, reason, name] of rows) {
    t.same(await exchange('PLAIN').start(Buffer.from(message)), {
      step: 'rejected',
      reason,
      name: name === null ? null : Buffer.from(name),
    });
  }
  t.match(await exchange('PLAIN').start(Buffer.from('\0locked\0x')), {
    step: 'unavailable',
    isLasting: true,
  });
});

t.test('LOGIN asks for name and password, and takes the name at once too', async (t) => {
  const login = exchange('LOGIN');
  t.same(await login.start(null), { step: 'challenge', challenge: Buffer.from('Username:') });
  t.same(await login.respond(Buffer.from('anna')), {
    step: 'challenge',
    challenge: Buffer.from('Password:'),
    about: Buffer.from('anna'),
  });
  t.same(await login.respond(Buffer.from('se cret')), accepted);
  const quick = exchange('LOGIN');
  t.match(await quick.start(Buffer.from('anna')), { step: 'challenge' });
  t.match(await quick.respond(Buffer.from('secret')), {
    step: 'rejected',
    name: Buffer.from('anna'),
  });
});

t.test('what is offered depends on accounts, TLS and whether passwords may be sent', async (t) => {
  const bound = { 'tls-exporter': Buffer.alloc(32) };
  const rows: readonly (readonly [boolean, typeof bound | null, boolean, readonly string[]])[] = [
    [true, bound, true, ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN']],
    [true, null, true, ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']],
    [true, null, false, ['SCRAM-SHA-256']],
    [false, bound, true, ['PLAIN', 'LOGIN']],
    [false, null, false, []],
  ];
  for (const [scram, channelBindings, allowsCleartext, names] of rows) {
    const offer = { authenticator: account(scram), channelBindings, allowsCleartext };
    t.same(await offeredMechanisms(offer), names);
  }
  const unboundable = {
    authenticator: account(),
    channelBindings: { 'tls-exporter': undefined },
    allowsCleartext: false,
  };
  t.same(await offeredMechanisms(unboundable), ['SCRAM-SHA-256']);
});

t.test("the client's PLAIN is what the server's takes", async (t) => {
  const client = plainClient({ username: 'anna', password: Buffer.from('se cret') });
  t.same(await exchange('PLAIN').start(await client.initialResponse()), accepted);
  client.finish();
  await t.rejects(client.respond(Buffer.alloc(0)), /more than PLAIN/);
  await t.rejects(
    plainClient({ username: 'an\0na', password: Buffer.from('x') }).initialResponse(),
    /NUL/,
  );
});
