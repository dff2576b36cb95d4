import t from 'tap';
import {
  Experience,
  nothingLearned,
  type Learned,
} from '../../../../src/pop3-client/talk/experience.js';
import type { Offer } from '../../../../src/pop3-client/talk/login-methods.js';

const now = Math.floor(Date.now() / 1000);

function offer(sasl: readonly string[]): Offer {
  return {
    ...{ capabilities: new Map([['SASL', sasl]]), timestamp: null, isProtected: true },
    peer: { host: 'mail.example.org', port: 995, isLoopback: false },
  };
}

function begin(learned: Learned): { experience: Experience; remembered: Learned[] } {
  const remembered: Learned[] = [];
  const experience = new Experience(learned, (one) => {
    remembered.push(one);
    return Promise.resolve();
  });
  return { experience, remembered };
}

t.test(
  'a method that was accepted after a better one is preferred while the offer is the same',
  async (t) => {
    const { experience, remembered } = begin(nothingLearned);
    await experience.addLogin(offer(['SCRAM-SHA-256', 'PLAIN']), 'plain', false);
    t.equal(experience.preferredLogin(offer(['PLAIN', 'scram-sha-256'])), 'plain');
    t.equal(experience.preferredLogin(offer(['PLAIN'])), null);
    t.equal(
      experience.preferredLogin({ ...offer(['PLAIN', 'SCRAM-SHA-256']), isProtected: false }),
      null,
    );
    await experience.addLogin(offer(['SCRAM-SHA-256', 'PLAIN']), 'plain', false);
    t.equal(remembered.length, 1, 'nothing is written twice');
    await experience.addLogin(offer(['SCRAM-SHA-256', 'PLAIN']), 'scram-sha-256', true);
    t.equal(remembered.at(-1)?.login, null, 'the best works again');
  },
);

t.test('what failed is tried again after a week', (t) => {
  const day = 86_400;
  for (const [ago, may] of [
    [day, false],
    [8 * day, true],
  ] as const) {
    const failedAt = now - ago;
    const { experience } = begin({
      ...nothingLearned,
      ...{ pipeliningFailedAt: failedAt, utf8FailedAt: failedAt },
    });
    t.equal(experience.mayPipeline, may);
    t.equal(experience.mayUseUtf8, may);
  }
  t.end();
});

t.test('knowledge that cannot be written fails nothing', async (t) => {
  const experience = new Experience(nothingLearned, () => Promise.reject(new Error('full')));
  await experience.addUtf8Failure();
  t.equal(experience.mayUseUtf8, false);
});

t.test('a server that wants time between logins is given it', async (t) => {
  const { experience } = begin(nothingLearned);
  const { capabilities } = offer([]);
  const asking = new Map([...capabilities, ['LOGIN-DELAY', ['900', 'USER']]]);
  experience.noteLoginDelay(capabilities);
  await experience.addLoginDelay();
  t.equal(experience.waitSeconds, 0);
  experience.noteLoginDelay(asking);
  t.equal(experience.waitSeconds, 0, 'while the run is not done');
  await experience.addLoginDelay();
  t.ok(experience.waitSeconds > 890);
});
