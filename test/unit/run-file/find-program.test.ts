import { chmodSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Launch } from '../../../src/run-file/evaluate-run-file.js';
import { findProgram } from '../../../src/run-file/find-program.js';

const root = t.testdir({
  bin: { tool: '#!/bin/sh\n', plain: 'no program\n', folder: {} },
  other: { tool: '#!/bin/sh\n' },
});
symlinkSync('plain', join(root, 'bin/linked'));
chmodSync(join(root, 'bin/tool'), 0o755);
chmodSync(join(root, 'other/tool'), 0o755);

function launch(changes: Partial<Launch>): Launch {
  return {
    file: 'x.run',
    program: 'tool',
    programLine: 2,
    arguments: ['tool'],
    directory: root,
    directoryLine: 1,
    environment: new Map([['PATH', `${root}/none::bin:${root}/other:${root}/bin`]]),
    ...changes,
  };
}

t.test('a name without a slash is looked up in PATH, relative folders are passed over', (t) => {
  t.equal(findProgram(launch({})), join(root, 'other/tool'));
  t.end();
});

t.test('without PATH the system folders are searched', (t) => {
  t.match(findProgram(launch({ program: 'sh', environment: new Map() })), /\/bin\/sh$/);
  t.end();
});

t.test('a name with a slash starts from the directory', (t) => {
  t.equal(findProgram(launch({ program: 'bin/tool' })), join(root, 'bin/tool'));
  t.equal(
    findProgram(launch({ program: './tool', directory: join(root, 'bin') })),
    join(root, 'bin/tool'),
  );
  t.end();
});

const wrong: readonly (readonly [title: string, changes: Partial<Launch>, message: string])[] = [
  [
    'a program in no folder',
    { program: 'nowhere' },
    'x.run:2: program: nowhere: not found in PATH',
  ],
  [
    'a program in PATH that may not be executed',
    { program: 'plain' },
    `x.run:2: program: plain: not found in PATH, but ${root}/bin/plain: permission denied`,
  ],
  [
    'a link in PATH to what may not be executed',
    { program: 'linked' },
    `x.run:2: program: linked: not found in PATH, but ${root}/bin/linked -> plain: permission denied`,
  ],
  ['a missing program', { program: '/n/x' }, 'x.run:2: program: /n/x: no such file'],
  [
    'a program that is a directory',
    { program: `${root}/bin/folder` },
    `x.run:2: program: ${root}/bin/folder: not a regular file`,
  ],
  [
    'a program without permission to execute it',
    { program: `${root}/bin/plain` },
    `x.run:2: program: ${root}/bin/plain: permission denied`,
  ],
  [
    'a missing directory, though the program is missing too',
    { directory: `${root}/gone`, program: '/n/x' },
    `x.run:1: chdir: ${root}/gone: no such directory`,
  ],
  [
    'a directory that is a file',
    { directory: `${root}/bin/tool` },
    `x.run:1: chdir: ${root}/bin/tool: not a directory`,
  ],
];

for (const [title, changes, message] of wrong) {
  t.test(`${title} is an error that names the line`, (t) => {
    t.throws(() => findProgram(launch(changes)), { message });
    t.end();
  });
}
