import t from 'tap';
import { decideNextSession } from '../../../../src/pop3-client/run/after-broken-session.js';
import { SessionBroken, type Step } from '../../../../src/pop3-client/run/session-broken.js';
import { nameOf, type Course } from '../../../../src/pop3-client/run/session-plan.js';
import {
  ConnectionLost,
  FellSilent,
  LostStep,
  MessageTooLarge,
  Refused,
  StoreFailure,
} from '../../../../src/pop3-client/settings/failures.js';
import type { Entry } from '../../../../src/pop3-client/talk/listing.js';

const account = 'ann@example.org';
const entry = (number: number): Entry => ({
  ...{ number, uniqueId: `id-${number}`, listedOctets: '10', expectedOctets: 10 },
});
const name = (number: number): string => nameOf(account, entry(number));
const fresh: Course = {
  ...{ isSettlingOnly: false, mayPipeline: true, hasCulprit: false },
  ...{ suspects: new Map(), excluded: new Set() },
};
const calm = { account, keep: false, isInterrupted: false };

function broken(
  cause: unknown,
  numbers: readonly number[] = [],
  found: { step?: Step; hasPipelined?: boolean } = {},
): SessionBroken {
  return new SessionBroken(cause, { step: 'RETR', unverified: numbers.map(entry), ...found });
}

const lost = new ConnectionLost('closed');
const silent = new FellSilent('silent');
const pipelined = { hasPipelined: true };

for (const [what, error, expected] of [
  ['closed before any message', broken(lost), null],
  ['a login refused', new Refused('no'), null],
  ['a fault of ours', broken(new TypeError('x'), [1]), null],
  ['closed at a message', broken(lost, [2]), { suspects: [2] }],
  ['closed within a group', broken(lost, [1, 2, 3]), { suspects: [1, 2, 3] }],
  ['out of step', broken(new LostStep('what?'), [1, 2]), { suspects: [1, 2] }],
  ['silent after commands sent ahead', broken(silent, [], pipelined), { mayPipeline: false }],
  ['silent without', broken(silent), null],
  [
    'silent at a message after commands sent ahead',
    broken(silent, [2], pipelined),
    { mayPipeline: false },
  ],
  ['closed after commands sent ahead', broken(lost, [], pipelined), { mayPipeline: false }],
  [
    'closed at a message after commands sent ahead',
    broken(lost, [2], pipelined),
    { mayPipeline: false, suspects: [2] },
  ],
  [
    'a message too large',
    broken(new MessageTooLarge('large'), [1, 2]),
    { suspects: [1, 2], givenUp: [2] },
  ],
  ['a full disk', new StoreFailure('full'), { isSettlingOnly: true }],
] as const) {
  t.test(`${what}: ${expected === null ? 'the end' : JSON.stringify(expected)}`, (t) => {
    const next = decideNextSession(error, fresh, calm);
    if (expected === null) {
      t.equal(next, null);
      t.end();
      return;
    }
    const {
      suspects = [],
      givenUp = [],
      ...changed
    } = {
      ...(expected as { suspects?: number[]; givenUp?: number[]; mayPipeline?: boolean }),
    };
    const hasCulprit = givenUp.length > 0;
    t.match(next?.course, { mayPipeline: true, isSettlingOnly: false, hasCulprit, ...changed });
    t.same(
      [...(next?.course.suspects ?? [])],
      suspects.map((number) => [name(number), 1]),
    );
    t.same(next?.suspects, suspects.map(name));
    t.same(
      next?.givenUp.map((one) => one.entry.number),
      givenUp,
    );
    t.same([...(next?.course.excluded ?? [])], givenUp.map(name));
    t.end();
  });
}

t.test('a suspect that was alone and ends a session again is given up, and named', (t) => {
  const course = { ...fresh, suspects: new Map([[name(2), 1]]) };
  const next = decideNextSession(broken(lost, [2], { step: 'DELE' }), course, calm);
  t.match(next?.givenUp, [
    { entry: { number: 2 }, reason: /DELE of message 2 \(unique-id id-2\).*closed/ },
  ]);
  t.same([...(next?.course.excluded ?? [])], [name(2)]);
  t.equal(next?.course.suspects.get(name(2)), 2);
  const both = decideNextSession(broken(lost, [1, 2]), course, calm);
  t.same(both?.givenUp, [], 'one of two may be the other');
  t.end();
});

t.test('whoever stopped the run gets no other session', (t) => {
  const stopped = { ...calm, isInterrupted: true };
  for (const error of [broken(lost, [1]), new StoreFailure('full')]) {
    t.equal(decideNextSession(error, fresh, stopped), null);
  }
  t.end();
});

t.test('after a full disk there is nothing to settle with --keep, or twice', (t) => {
  const full = new StoreFailure('full');
  t.equal(decideNextSession(full, fresh, { ...calm, keep: true }), null);
  t.equal(decideNextSession(full, { ...fresh, isSettlingOnly: true }, calm), null);
  t.end();
});
