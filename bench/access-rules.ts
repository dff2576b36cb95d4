// How long 100,000 access rules take to load and a lookup takes: `npm run build && node build/bench/access-rules.js`.

import { addressFromBytes } from '../src/launcher/rules/address.js';
import { AccessRules, decide } from '../src/launcher/rules/access-rules.js';

const ruleCount = 100_000;
const lookupCount = 1_000_000;
const rounds = 5;

/** Half IPv4, half IPv6, with prefixes of many lengths, as blocklists have them. No two are for one network. */
function makeRules(): string {
  const lines: string[] = ['default 1'];
  for (let index = 0; lines.length < ruleCount; index += 1) {
    const [high, low] = [(index >> 8) & 255, index & 255];
    if (index % 2 === 0) {
      // Lower bits are set so that no length of prefix makes two of them the same.
      lines.push(`${10 + (index >> 16)}.${high}.${low}.128/${25 + (index % 8)} ${index % 4}`);
    } else {
      const group = `${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}`;
      lines.push(`2001:db8:${group}::/${64 + (index % 65)} ${index % 4}`);
    }
  }
  return lines.join('\n');
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const text = makeRules();
const loads: number[] = [];
const lookups: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const loading = performance.now();
  const rules = AccessRules.parse(text, 'rules');
  loads.push(performance.now() - loading);

  const clients = Array.from({ length: 1000 }, (_, index) =>
    index % 2 === 0
      ? addressFromBytes([10, index & 255, (index * 7) & 255, 129])
      : addressFromBytes([
          0x20,
          1,
          0xd,
          0xb8,
          0,
          0,
          index & 255,
          (index * 7) & 255,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          1,
        ]),
  );
  let sum = 0;
  const looking = performance.now();
  for (let count = 0; count < lookupCount; count += 1) {
    const client = clients[count % clients.length];
    if (client !== undefined) sum += decide(rules, client).level;
  }
  lookups.push(((performance.now() - looking) * 1000) / lookupCount);
  // Used, so that nothing is optimised away.
  if (sum < 0) throw new Error('levels are never negative');
}
process.stdout.write(
  `${ruleCount} rules, ${Math.round(text.length / 1024)} KiB, medians of ${rounds} rounds\n` +
    `load    ${median(loads).toFixed(0)} ms\n` +
    `lookup  ${median(lookups).toFixed(2)} microseconds\n`,
);
