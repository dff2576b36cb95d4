// Bundles each program into one CommonJS file: a module loader that resolves and reads a dozen modules takes longer than all of
// their code, and holds them open at the same time, which a low limit of open files does not allow.

import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { build } from 'esbuild';

const programs = 'build/src/programs';

/** pop3d's greeting must not wait for the rest to be read: what is imported later stays apart. */
const importedLater = {
  name: 'imported-later',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^\./ }, async ({ kind, path, pluginData, ...options }) => {
      if (kind !== 'dynamic-import' || pluginData === 'resolving') return undefined;
      const found = await resolve(path, { kind, ...options, pluginData: 'resolving' });
      return { path: `./${relative(programs, found.path)}`, external: true };
    });
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
  bundle('pop3d', [importedLater, ownPlaces]),
  // A thread that a process for one session may start.
  bundle('mail-thread', [ownPlaces], 'build/src/maildrop/threads'),
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
