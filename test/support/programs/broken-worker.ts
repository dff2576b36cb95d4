// Programs that break the hand-over's protocol, by their argument: `silent` is never ready; `early-death` ends at once;
// `poisoned` dies of every connection before it takes it. Without a channel each serves its one connection.

import { writeSync } from 'node:fs';

const [fault] = process.argv.slice(2);

if (process.send === undefined) {
  writeSync(1, '+OK a process of its own\n');
} else if (fault === 'poisoned') {
  process.on('message', () => process.kill(process.pid, 'SIGKILL'));
  process.send({ kind: 'ready', greeting: null });
} else if (fault === 'silent') {
  // Listens, and so stays, until the channel is closed.
  process.on('message', () => undefined);
}
