// `tcpsrun --explain`, and that it says what then happens.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../support/programs/run-program.js';
import { shellRunFile, startTcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const rules = '# ours\n127.0.0.0/8 1\n127.0.0.2 0\n127.1.0.0/16 2\n127.1.2.0/24 0\ndefault 0\n';

t.test('everything a client would get is printed, one value a line', async (t) => {
  const directory = testFolder(t, {
    rules,
    'x.run': 'chdir /\nprogram sh\nargument zero\nargument "%1 %2 %3 %4"\nsetenv LINES "a"\n',
  });
  const { status, stdout } = await runProgram(
    t,
    'tcpsrun',
    ['--rules', 'rules', '--explain', '::ffff:127.1.9.9', '127.0.0.1', 'pop3', 'x.run'],
    { cwd: directory },
  );
  t.equal(status, 0);
  const text = stdout.toString();
  t.match(text, /^client: 127\.1\.9\.9\nrule: rules:4: 127\.1\.0\.0\/16 2\nlevel: 2\n/);
  t.match(text, /^served: yes, on descriptor 3\nprogram: \/(?:usr\/)?bin\/sh\nargument: zero\n/m);
  t.match(text, /^argument: pop3 x\.run 3 2\ndirectory: \/\n/m);
  t.match(text, /^environment: ACCESSLEVEL=2$/m);
  t.match(text, /^environment: LINES=a$/m);
  t.match(text, /^environment: TCPREMOTEIP=127\.1\.9\.9$/m);
});

t.test('a run file that would fail is the same error, and the status 100', async (t) => {
  const directory = testFolder(t, { 'x.run': 'program sh\nargument %9\n' });
  const result = await runProgram(t, 'tcpsrun', ['--explain', '::1', '::', '0', 'x.run'], {
    cwd: directory,
  });
  t.equal(result.status, 100);
  t.match(result.stderr, /x\.run:2: argument: parameter %9 is not set/);
});

t.test('what is explained is what happens', async (t) => {
  const runFile = shellRunFile('echo $TCPREMOTEIP %4');
  const { connect, directory } = await startTcpsrun(t, { runFile, rules });
  for (const client of ['127.0.0.1', '127.0.0.2', '127.1.0.1', '127.1.2.3', '127.255.0.1']) {
    const { stdout } = await runProgram(
      t,
      'tcpsrun',
      ['--rules', 'rules', '--explain', client, '127.0.0.1', '0', 'test.run'],
      { cwd: directory },
    );
    const [, level] = /^level: ([0-9]+)$/m.exec(stdout.toString()) ?? [];
    const isServed = /^served: yes/m.test(stdout.toString());
    const { received } = await connect(client).end();
    t.equal(received, isServed ? `${client} ${level ?? ''}\n` : '', client);
  }
  t.equal(readFileSync(join(directory, 'rules'), 'utf8'), rules);
});
