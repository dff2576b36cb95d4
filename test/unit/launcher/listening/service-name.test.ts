import { join } from 'node:path';
import t from 'tap';
import { parsePort } from '../../../../src/launcher/listening/service-name.js';

const services = join(
  t.testdir({
    services: [
      '# port names',
      'pop3\t\t1110/tcp\tpop-3   # here',
      'game 27/udp',
      'game 28/tcp arcade',
      'wrong 99999/tcp',
    ].join('\n'),
  }),
  'services',
);

const known: readonly (readonly [port: string, number: number])[] = [
  ['0', 0],
  ['110', 110],
  ['65535', 65_535],
  ['pop3', 1110],
  ['pop-3', 1110],
  ['game', 28],
  ['arcade', 28],
  ['pop3s', 995],
];

for (const [port, number] of known) {
  t.test(`port ${port} is ${number}`, (t) => {
    t.equal(parsePort(port, services), number);
    t.end();
  });
}

for (const port of ['', '65536', '-1', '1e3', 'POP3', 'here', '#', 'wrong', '__proto__']) {
  t.test(`port "${port}" is an error`, (t) => {
    t.throws(() => parsePort(port, services), { message: new RegExp(`port "${port}" is neither`) });
    t.end();
  });
}

t.test('pop3 and pop3s are known where there is no services file', (t) => {
  t.equal(parsePort('pop3', '/nonexistent'), 110);
  t.equal(parsePort('pop3s', '/nonexistent'), 995);
  t.end();
});
