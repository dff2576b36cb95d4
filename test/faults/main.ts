// Sweeps one program as a program of its own. Run as: main SUBJECT SEED SECONDS OWN RUNTIME FURTHER, the last three limits; `all` lifts one.
// Prints a line of figures and every outcome that is not allowed, and exits 1 when there was one.

import { pop3dSubject } from './pop3d-subject.js';
import { pop3getSubject } from './pop3get-subject.js';
import { tcpsrunSubject } from './tcpsrun-subject.js';
import { sweep } from './sweep.js';

const [name = '', ...rest] = process.argv.slice(2);
const [seed = 1, seconds = 0, own = 0, runtime = 0, further = 0] = rest.map((text) =>
  text === 'all' ? Number.MAX_SAFE_INTEGER : Number(text),
);
const cleanUp: (() => Promise<void>)[] = [];
const t = { teardown: (handler: () => Promise<void>) => cleanUp.push(handler) };
const subjects = [
  pop3dSubject(t),
  pop3dSubject(t, 'shared'),
  pop3getSubject(t, 'plain'),
  pop3getSubject(t, 'odd'),
  tcpsrunSubject(t),
];
const subject = subjects.find((candidate) => candidate.name === name);
if (subject === undefined) throw new Error(`no subject "${name}"`);
const result = await sweep(subject, {
  seed,
  ownLimit: own,
  runtimeLimit: runtime,
  furtherLimit: further,
  budgetMs: seconds * 1000,
});
for (const handler of cleanUp) await handler();
console.log(
  `${name}: planned=${result.plannedOwn}+${result.plannedRuntime}+${result.plannedFurther} runs=${result.runs} further=${result.furtherRuns} injected=${result.injected} ` +
    `seconds=${result.seconds.toFixed(0)} not-allowed=${result.violations.length}`,
);
for (const violation of result.violations) console.log(violation);
process.exitCode = result.violations.length === 0 ? 0 : 1;
