import t from 'tap';
import { formatCapability, parseCapability } from '../../../src/wire/capability.js';

t.test('a capability is its name and its parameters', (t) => {
  t.equal(formatCapability('UIDL'), 'UIDL');
  t.equal(formatCapability('SASL', 'PLAIN', 'SCRAM-SHA-256'), 'SASL PLAIN SCRAM-SHA-256');
  t.end();
});

const lines: readonly (readonly [line: string, name: string, parameters: readonly string[]])[] = [
  ['UIDL', 'UIDL', []],
  ['uidl', 'UIDL', []],
  ['SASL PLAIN SCRAM-SHA-256', 'SASL', ['PLAIN', 'SCRAM-SHA-256']],
  ['IMPLEMENTATION Shlemazle-Plotz-v302', 'IMPLEMENTATION', ['Shlemazle-Plotz-v302']],
  ['  SASL   plain ', 'SASL', ['plain']],
];

for (const [line, name, parameters] of lines) {
  t.test(`${JSON.stringify(line)} is the capability ${name}`, (t) => {
    t.same(parseCapability(Buffer.from(line)), { name, parameters });
    t.end();
  });
}

t.test('a line of nothing but spaces is no capability', (t) => {
  for (const line of ['', ' ', '   ']) t.equal(parseCapability(Buffer.from(line)), null);
  t.end();
});
