import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FileWatch, type FileStamp } from '../../../../src/system/files/file-stamp.js';

const secondNs = 1_000_000_000n;

/** A file as stat(2) shows it, times in milliseconds since 1970. */
function stampAt(changedMs: number, modifiedMs = changedMs): FileStamp {
  const ns = (ms: number): bigint => BigInt(Math.round(ms * 1e6));
  return { dev: 1n, ino: 2n, size: 3n, mtimeNs: ns(modifiedMs), ctimeNs: ns(changedMs) };
}

/** A watch whose clocks both stand still until `pass` moves them. */
function watchAt(nowMs: number, isLocal: boolean) {
  let passedMs = 0;
  const watch = new FileWatch('/none', {
    now: () => nowMs + passedMs,
    monotonicNow: () => passedMs,
    isLocal: () => isLocal,
  });
  return { watch, pass: (ms: number) => (passedMs += ms) };
}

const nowMs = 1_800_000_000_000;
const fineMs = nowMs - 100.5;

t.test('a stamp of our own clock vouches when the clock had moved on before the reading', (t) => {
  const { watch, pass } = watchAt(nowMs, true);
  t.equal(watch.mayHaveChanged(stampAt(fineMs)), true);
  t.equal(watch.mayHaveChanged(stampAt(fineMs)), false);
  pass(86_400_000);
  t.equal(watch.mayHaveChanged(stampAt(fineMs)), false);
  t.equal(watch.mayHaveChanged(stampAt(fineMs + 1)), true);
  t.end();
});

t.test('a change within a tick of the reading can hide, so the file is read again', (t) => {
  const { watch, pass } = watchAt(nowMs, true);
  const stamp = stampAt(nowMs - 0.5);
  t.equal(watch.mayHaveChanged(stamp), true);
  t.equal(watch.isSettled, false);
  t.equal(watch.mayHaveChanged(stamp), true);
  pass(60);
  t.equal(watch.mayHaveChanged(stamp), true, 'the reading before this one proves nothing');
  t.equal(watch.isSettled, true);
  t.equal(watch.mayHaveChanged(stamp), false);
  t.end();
});

for (const { name, stamp, isLocal } of [
  { name: 'another machine', stamp: stampAt(fineMs - 5000), isLocal: false },
  { name: 'a file system with whole seconds', stamp: stampAt(nowMs - 5000), isLocal: true },
]) {
  t.test(`a clock 5 s ahead of ${name} does not make a stamp old`, (t) => {
    const { watch, pass } = watchAt(nowMs, isLocal);
    t.equal(watch.mayHaveChanged(stamp), true);
    pass(2000);
    t.equal(watch.mayHaveChanged(stamp), true);
    pass(1000);
    t.equal(watch.mayHaveChanged(stamp), true, 'first read after it was seen for its grain');
    t.equal(watch.mayHaveChanged(stamp), false);
    t.end();
  });
}

t.test('a stamp that is older than clocks differ vouches at once', (t) => {
  for (const isLocal of [true, false]) {
    const { watch } = watchAt(nowMs, isLocal);
    t.equal(watch.mayHaveChanged(stampAt(nowMs - 140_000)), true);
    t.equal(watch.mayHaveChanged(stampAt(nowMs - 140_000)), false);
  }
  t.end();
});

t.test('what another machine stamped is read again after a minute', (t) => {
  const { watch, pass } = watchAt(nowMs, false);
  t.equal(watch.mayHaveChanged(stampAt(nowMs - 140_000)), true);
  pass(59_000);
  t.equal(watch.mayHaveChanged(stampAt(nowMs - 140_000)), false);
  pass(2000);
  t.equal(watch.mayHaveChanged(stampAt(nowMs - 140_000)), true);
  t.end();
});

for (const [name, stampedMs] of [
  ['ahead', nowMs + 60_000],
  ['behind', nowMs - 60_000],
] as const) {
  t.test(`new mail is seen within 2 s though a machine's clock is 60 s ${name}`, (t) => {
    // CephFS keeps the later time: a delivery by a clock that is behind leaves the stamp as it is.
    const { watch, pass } = watchAt(nowMs, false);
    const stamp = stampAt(stampedMs);
    watch.mayHaveChanged(stamp);
    pass(3000);
    t.equal(watch.mayHaveChanged(stamp), true);
    t.equal(watch.mayHaveChanged(stamp), false);
    pass(2000);
    t.equal(watch.mayHaveChanged(stamp), true);
    t.end();
  });
}

t.test('so is mail of a machine that is a minute behind, where ours is a minute ahead', (t) => {
  const { watch, pass } = watchAt(nowMs, false);
  // Set by a third machine, whose clock is right: the one that is behind does not raise it.
  const stamp = stampAt(nowMs - 65_000);
  watch.mayHaveChanged(stamp);
  pass(50_000);
  t.equal(watch.mayHaveChanged(stamp), true);
  pass(2000);
  t.equal(watch.mayHaveChanged(stamp), true);
  t.end();
});

t.test('a stamp in the future never vouches for longer than its grain', (t) => {
  for (const stamp of [stampAt(nowMs + 3_600_000), stampAt(fineMs, nowMs + 3_600_000)]) {
    const { watch, pass } = watchAt(nowMs, true);
    t.equal(watch.mayHaveChanged(stamp), true);
    t.equal(watch.mayHaveChanged(stamp), true);
    pass(3000);
    t.equal(watch.mayHaveChanged(stamp), true);
    pass(2000);
    t.equal(watch.mayHaveChanged(stamp), false);
    pass(1000);
    t.equal(watch.mayHaveChanged(stamp), true);
  }
  t.end();
});

t.test('each part of a stamp tells one file from another', (t) => {
  const stamp = stampAt(nowMs - 20_000);
  for (const part of ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const) {
    const { watch } = watchAt(nowMs, true);
    watch.mayHaveChanged(stamp);
    t.equal(watch.mayHaveChanged({ ...stamp, [part]: stamp[part] - secondNs }), true, part);
  }
  t.end();
});

t.test('a copy has seen the same, and goes its own way', (t) => {
  const { watch } = watchAt(nowMs, true);
  watch.mayHaveChanged(stampAt(fineMs));
  const copy = watch.copy();
  t.equal(watch.mayHaveChanged(stampAt(fineMs + 1)), true);
  t.equal(copy.mayHaveChanged(stampAt(fineMs)), false);
  t.equal(copy.isSettled, true);
  t.end();
});

t.test('a directory that is old, changes, and goes', (t) => {
  const path = join(t.testdir({ new: {} }), 'new');
  // The change time is the present, whatever utimes sets; so the clock is what moves.
  const watch = new FileWatch(path, { now: () => Date.now() + 60_000 });
  t.equal(watch.mayHaveChanged(), true);
  t.equal(watch.mayHaveChanged(), false);
  writeFileSync(join(path, 'message'), '');
  utimesSync(path, 1, 1);
  t.equal(watch.mayHaveChanged(), true);
  t.equal(watch.mayHaveChanged(statSync(path, { bigint: true })), false);
  rmSync(path, { recursive: true });
  t.equal(watch.mayHaveChanged(), true);
  t.equal(watch.isAbsent, true);
  t.equal(watch.mayHaveChanged(), false);
  mkdirSync(path);
  t.equal(watch.mayHaveChanged(), true);
  t.equal(watch.isAbsent, false);
  t.throws(() => new FileWatch(join(path, 'a\0b')).mayHaveChanged());
  t.end();
});
