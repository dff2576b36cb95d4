// The other programs of a busy maildrop in one: delivers, flags, moves from new to cur and expunges, so many operations a
// second. Run as: churn INBOX MESSAGES OPERATIONS-PER-SECOND SECONDS SEED
// Prints `d SERIAL TIME` after a delivery, `x SERIAL TIME` before an expunge, `ready` and, at last, `end OPERATIONS`.
// Times are nanoseconds of the system's monotonic clock, which all processes share.

import { linkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { baseNameOf, contentOf } from './numbered-message.js';
import { seededRandom } from './random.js';

const [inbox = '', ...numbers] = process.argv.slice(2);
const [messageCount = 0, rate = 0, seconds = 0, seed = 0] = numbers.map(Number);
const random = seededRandom(seed);
const tickMs = 5;

/** Where each message is, by serial number; the list is for drawing one. */
const names = new Map<number, string>();
const serials: number[] = [];
let lastSerial = 0;
let printed = '';

function print(kind: 'd' | 'x', serial: number): void {
  printed += `${kind} ${serial} ${process.hrtime.bigint()}\n`;
}

function deliver(): void {
  lastSerial += 1;
  const baseName = baseNameOf(lastSerial);
  writeFileSync(`${inbox}/tmp/${baseName}`, contentOf(lastSerial));
  linkSync(`${inbox}/tmp/${baseName}`, `${inbox}/new/${baseName}`);
  print('d', lastSerial);
  unlinkSync(`${inbox}/tmp/${baseName}`);
  names.set(lastSerial, `new/${baseName}`);
  serials.push(lastSerial);
}

function flag(at: number): void {
  const serial = serials[at] ?? 0;
  const flags = ['', 'S', 'RS', 'FS', 'FRS', 'T'][random(6)] ?? '';
  const name = `cur/${baseNameOf(serial)}:2,${flags}`;
  const previous = names.get(serial) ?? '';
  if (
    previous === name ||
    !unlessGone(at, () => renameSync(`${inbox}/${previous}`, `${inbox}/${name}`))
  )
    return;
  names.set(serial, name);
}

function expunge(at: number): void {
  const serial = serials[at] ?? 0;
  print('x', serial);
  if (unlessGone(at, () => unlinkSync(`${inbox}/${names.get(serial) ?? ''}`))) forget(at);
}

/** A POP3 session may have removed it. */
function unlessGone(at: number, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    forget(at);
    return false;
  }
}

function forget(at: number): void {
  names.delete(serials[at] ?? 0);
  serials[at] = serials[serials.length - 1] ?? 0;
  serials.pop();
}

function operate(): void {
  const draw = random(10);
  if (serials.length < messageCount * 0.98 || (draw < 2 && serials.length < messageCount * 1.02)) {
    deliver();
  } else if (draw < 4) expunge(random(serials.length));
  else flag(random(serials.length));
}

for (let count = 0; count < messageCount; count += 1) deliver();
process.stdout.write(`${printed}ready\n`);
printed = '';
const startedMs = performance.now();
let operations = 0;
for (;;) {
  const elapsedMs = performance.now() - startedMs;
  if (elapsedMs >= seconds * 1000) break;
  // What the machine did not let us do in time is caught up with, but not all at once.
  const due = Math.min(Math.floor((elapsedMs / 1000) * rate), operations + rate / 10);
  for (; operations < due; operations += 1) operate();
  process.stdout.write(printed);
  printed = '';
  await delay(tickMs);
}
process.stdout.write(`${printed}end ${operations}\n`);
