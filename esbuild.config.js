// Bundles what pop3d needs for its greeting into one CommonJS file: a module loader that resolves and reads a dozen modules
// takes longer than all of their code. What is imported later stays apart.

import { relative } from 'node:path';
import { build } from 'esbuild';

const programs = 'build/src/programs';

await build({
  entryPoints: [`${programs}/pop3d.js`],
  outfile: `${programs}/pop3d.cjs`,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  logLevel: 'warning',
  plugins: [
    {
      name: 'imported-later',
      setup({ onResolve, resolve }) {
        onResolve({ filter: /^\./ }, async ({ kind, path, pluginData, ...options }) => {
          if (kind !== 'dynamic-import' || pluginData === 'resolving') return undefined;
          const found = await resolve(path, { kind, ...options, pluginData: 'resolving' });
          return { path: `./${relative(programs, found.path)}`, external: true };
        });
      },
    },
  ],
});
