// A sample of the system calls of a session, a connection and a transfer, each failed or deadly once. test/long sweeps them all.
// FAULT_SEED draws another sample.

import t, { type Test } from 'tap';
import { pop3dSubject } from './pop3d-subject.js';
import { pop3getSubject } from './pop3get-subject.js';
import { unlessTraceable } from './strace.js';
import type { Subject } from './subject.js';
import { sweep } from './sweep.js';
import { tcpsrunSubject } from './tcpsrun-subject.js';

const seed = Number(process.env['FAULT_SEED'] ?? 1939);
const skip = unlessTraceable();

interface Sample {
  readonly subject: Subject;
  readonly ownLimit: number;
  readonly runtimeLimit: number;
  readonly furtherLimit: number;
}

async function holdsFor(t: Test, { subject, ...limits }: Sample): Promise<void> {
  const result = await sweep(subject, { seed, ...limits });
  t.comment(`${result.runs} runs, ${result.injected} with their fault, seed ${seed}`);
  // Which call comes as which differs from run to run, so that a few never come.
  t.ok(result.injected > result.runs / 2, 'the faults came about');
  t.strictSame(result.violations, []);
}

t.test('pop3d loses no mail and says nothing false whichever call fails', { skip }, (t) =>
  holdsFor(t, { subject: pop3dSubject(t), ownLimit: 60, runtimeLimit: 10, furtherLimit: 10 }),
);

t.test('neither does pop3d where mail is shared', { skip }, (t) =>
  holdsFor(t, {
    subject: pop3dSubject(t, 'shared'),
    ownLimit: 30,
    runtimeLimit: 5,
    furtherLimit: 30,
  }),
);

for (const server of ['plain', 'odd'] as const) {
  t.test(
    `pop3get loses nothing and stores nothing twice whichever call fails (${server} server)`,
    { skip },
    (t) => {
      const subject = pop3getSubject(t, server);
      return holdsFor(t, { subject, ownLimit: 12, runtimeLimit: 2, furtherLimit: 2 });
    },
  );
}

t.test('tcpsrun serves the next client whichever call fails', { skip }, (t) =>
  holdsFor(t, { subject: tcpsrunSubject(t), ownLimit: 10, runtimeLimit: 2, furtherLimit: 2 }),
);
