// Bundles each program into one CommonJS file: a module loader that resolves and reads a dozen modules takes longer than all of
// their code, and holds them open at the same time, which a low limit of open files does not allow.

import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { build } from 'esbuild';

const programs = 'build/src/programs';

const later = ['place-options', 'pop3-process', 'pop3-worker'];

/** pop3d's greeting must not wait for what serves the session to be read: that has a bundle of its own. */
const servedLater = {
  name: 'served-later',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`/(?:${later.join('|')})\\.js$`) }, ({ path }) => ({
      path: path.replace(/js$/, 'cjs'),
      external: true,
    }));
  },
};

/** Modules that look for files beside them find them from the bundle too. */
const ownPlaces = {
  name: 'own-places',
  setup({ onLoad, initialOptions }) {
    const folder = dirname(initialOptions.outfile);
    onLoad({ filter: /\/build\/src\/.*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const place = JSON.stringify(relative(folder, path));
      const url = `require('node:url').pathToFileURL(require('node:path').join(__dirname, ${place})).href`;
      return { contents: text.replaceAll('import.meta.url', url) };
    });
  },
};

const bundle = (name, plugins, folder = programs) =>
  build({
    entryPoints: [`${folder}/${name}.js`],
    outfile: `${folder}/${name}.cjs`,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // By require: the loader of ES modules, which import() starts, takes as long as a login.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
    // Those with machine code or data files of their own, and those that few need.
    external: [
      'better-sqlite3',
      '@node-rs/*',
      '@mongodb-js/saslprep',
      'cli-progress',
      'pg',
      'mysql2',
    ],
    plugins,
  });

await Promise.all([
  bundle('pop3d', [servedLater, ownPlaces]),
  ...later.map((name) => bundle(name, [ownPlaces], 'build/src/pop3-server/serving')),
  // Threads, which a process for one session may start too.
  bundle('mail-thread', [ownPlaces], 'build/src/maildrop/threads'),
  bundle('counting-thread', [ownPlaces], 'build/src/maildrop/octets'),
  bundle('sha-crypt-thread', [ownPlaces], 'build/src/auth/stored'),
  ...[
    'tcpsrun',
    'tcprule',
    'pop3get',
    'pop3token',
    'runsvc',
    'passdb',
    'pop3record',
    'pop3ctl',
    'demonstration',
  ].map((name) => bundle(name, [ownPlaces])),
]);
