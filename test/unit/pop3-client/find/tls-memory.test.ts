import t from 'tap';
import { TlsMemory } from '../../../../src/pop3-client/find/tls-memory.js';

/** A memory, and how often it made something known. */
function memory(isRemembered: boolean): {
  readonly memory: TlsMemory;
  readonly times: () => number;
} {
  let times = 0;
  const remember = (): Promise<void> => {
    times += 1;
    return Promise.resolve();
  };
  return { memory: new TlsMemory(isRemembered, remember), times: () => times };
}

t.test('an offer counts, and is not made known', (t) => {
  const { memory: tls, times } = memory(false);
  t.equal(tls.isSeen, false);
  tls.addOffer();
  t.same([tls.isSeen, times()], [true, 0]);
  t.end();
});

t.test('a handshake counts and is made known once', async (t) => {
  const { memory: tls, times } = memory(false);
  await tls.addHandshake();
  await tls.addHandshake();
  t.same([tls.isSeen, times()], [true, 1]);
});

t.test('what is known is not made known again', async (t) => {
  const { memory: tls, times } = memory(true);
  t.equal(tls.isSeen, true);
  await tls.addHandshake();
  t.equal(times(), 0);
});

t.test('a handshake that cannot be made known is an error, and counts', async (t) => {
  const tls = new TlsMemory(false, () => Promise.reject(new Error('no space')));
  await t.rejects(tls.addHandshake(), /no space/);
  t.equal(tls.isSeen, true);
});
