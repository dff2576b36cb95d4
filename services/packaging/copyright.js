// Prints the Debian package's copyright file: our licence, and that of every package that is bundled with the programs.
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

import { readdirSync, readFileSync } from 'node:fs';
import { runtimePackages } from './runtime-packages.js';

const asField = (text) =>
  text
    .trim()
    .split(/\r?\n/)
    .map((line) => ` ${line.trim() === '' ? '.' : line.trimEnd()}`)
    .join('\n');

const apache = `The Apache License, version 2.0, as in the file
/usr/share/common-licenses/Apache-2.0 of Debian systems.`;

function licenceOf(folder) {
  const name = readdirSync(folder).find((file) => /^licen[cs]e(?:\.|$)/i.test(file));
  return name === undefined
    ? 'The package has no file with its licence.'
    : readFileSync(`${folder}/${name}`, 'utf8');
}

const holderOf = (text, author) =>
  /^.*copyright.*\d{4}.*$/im.exec(text)?.[0].trim() ?? author ?? 'its authors';

/** In package.json a person is a text or an object. */
const nameOf = (person) => (typeof person === 'string' ? person : person?.name);

function stanza(files, { author, license }, text, label) {
  return `Files: ${files}\nCopyright: ${holderOf(text, nameOf(author))}\nLicense: ${label ?? license}\n${asField(text)}\n`;
}

const own = JSON.parse(readFileSync('package.json', 'utf8'));
process.stdout.write(
  'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n',
);
process.stdout.write(
  `Upstream-Name: ${own.name}\n\n${stanza('*', own, readFileSync('LICENSE', 'utf8'))}`,
);
for (const name of runtimePackages()) {
  const folder = `node_modules/${name}`;
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  // The same licence has another text, and holder, in each package.
  const label = `${manifest.license}-${name.replace(/[^a-z0-9]+/gi, '-').replace(/^-/, '')}`;
  const files = `usr/lib/pop3-suite/node_modules/${name}/*`;
  process.stdout.write(
    `\n${stanza(files, manifest, manifest.license === 'Apache-2.0' ? apache : licenceOf(folder), label)}`,
  );
}
process.stdout.write(
  '\nFiles: usr/lib/pop3-suite/node_modules/better-sqlite3/build/Release/better_sqlite3.node\n' +
    'Copyright: The authors of SQLite have dedicated it to the public domain.\n' +
    'License: public-domain\n SQLite, which this file contains, is in the public domain: https://sqlite.org/copyright.html\n',
);
