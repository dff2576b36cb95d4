// Checks what CONTRIBUTING.md says of files and rooms: their sizes, which room may import which,
// how wide comments are, and that what comments and documents cite exists. Run by `npm run check`.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const maxLines = 300;
const maxFilesInFolder = 15;
const maxCommentColumns = 100;

/** The rooms of src, lowest first: each may import itself and those before it. */
const order = [
  ...['wire', 'system', 'session-record', 'demonstration', 'auth', 'maildir', 'maildrop'],
  ...[
    'run-file',
    'worker',
    'launcher',
    'pop3-client',
    'pop3-token',
    'pop3-server',
    'administration',
  ],
  'programs',
];
/**
 * None of these rooms imports another of them: server, client and launcher meet in programs only.
 */
const apart = new Set(['launcher', 'pop3-client', 'pop3-server']);

/** Names that stand for any. */
const examples = new Set(['kebab-case.ts', 'DATE-MACHINE.md']);

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .trimEnd()
  .split('\n');
const text = (file: string): string => readFileSync(join(root, file), 'utf8');
const sources = tracked.filter((file) => /^src\/.*\.ts$/.test(file));

const imports = new Map(sources.map((file) => [file, importsOf(file)]));
const faults = [
  ...sources.flatMap(lengthFaults),
  ...folderFaults(),
  ...sources.flatMap(orderFaults),
  ...circleFaults('files', imports),
  ...circleFaults('rooms', roomGraph()),
  ...tracked.filter((file) => /\.(?:ts|md|[1-8])$/.test(file)).flatMap(citationFaults),
];
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;

function importsOf(file: string): readonly string[] {
  return [...text(file).matchAll(/(?:from |import\(|import )'(\.[^']+)\.js'/g)].map(
    ([, path = '']) => normalize(join(dirname(file), `${path}.ts`)),
  );
}

function lengthFaults(file: string): string[] {
  const lines = text(file).trimEnd().split('\n');
  const wide = lines.flatMap((line, index) =>
    /^ *(?:\/\/|\/?\*)/.test(line) && line.length > maxCommentColumns && !line.includes('://')
      ? [`${file}:${index + 1}: a comment of ${line.length} columns, over ${maxCommentColumns}`]
      : [],
  );
  const long = lines.length > maxLines ? [`${file}: ${lines.length} lines, over ${maxLines}`] : [];
  return [...long, ...wide];
}

function folderFaults(): string[] {
  const counts = new Map<string, number>();
  for (const file of sources) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > maxFilesInFolder)
    .map(([folder, count]) => `${folder}: ${count} files, over ${maxFilesInFolder}`);
}

function orderFaults(file: string): string[] {
  const room = file.split('/')[1] ?? '';
  return (imports.get(file) ?? []).flatMap((imported) => {
    const other = imported.split('/')[1] ?? '';
    const isBelow = order.indexOf(other) <= order.indexOf(room) && order.includes(other);
    const isAllowed = room === other || (isBelow && !(apart.has(room) && apart.has(other)));
    return isAllowed ? [] : [`${file}: ${room} may not import ${imported}`];
  });
}

function roomGraph(): Map<string, readonly string[]> {
  const graph = new Map<string, string[]>();
  for (const [file, others] of imports) {
    const room = dirname(file);
    const rooms = others.map((other) => dirname(other)).filter((other) => other !== room);
    graph.set(room, [...(graph.get(room) ?? []), ...rooms]);
  }
  return graph;
}

/** Each circle once: the first that is met from each node that is on one. */
function circleFaults(what: string, graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) {
      found.push(`a circle of ${what}: ${[...path.slice(path.indexOf(node)), node].join(' → ')}`);
    } else if (!done.has(node)) {
      for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
      done.add(node);
    }
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

/** Files of this project that comments and documents name, and its manual pages. */
function citationFaults(file: string): string[] {
  const names = new Set(tracked.flatMap((path) => [path, basename(path)]));
  const pages = new Map(
    tracked
      .filter((path) => /^doc\/.*\.[1-8]$/.test(path))
      .map((path) => [basename(path).slice(0, -2), path.slice(-1)]),
  );
  const lines = text(file).split('\n');
  return lines.flatMap((line, index) => {
    // In code a name may be made up; in comments and documents it is a promise.
    if (file.endsWith('.ts') && !/^ *(?:\/\/|\/?\*)/.test(line)) return [];
    const files = [...line.matchAll(/(?<![*\w./-])[\w./-]+\.(?:ts|md)\b/g)]
      .map(([name]) => name.replace(/^(?:\.\.?\/)+/, ''))
      .filter((name) => !examples.has(name))
      .filter((name) => !names.has(name) && !tracked.some((path) => path.endsWith(`/${name}`)));
    const wrongPages = [...line.matchAll(/\b([a-z0-9][\w.-]*)\(([1-8])\)/g)]
      .filter(([, page = '', section]) => pages.has(page) && pages.get(page) !== section)
      .map(([citation]) => citation);
    return [...files, ...wrongPages].map(
      (name) => `${file}:${index + 1}: cites ${name}, which does not exist`,
    );
  });
}
