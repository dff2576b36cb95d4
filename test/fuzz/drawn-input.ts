// What a peer may send: commands made by a grammar, bent by mutations, and plain noise. Text is latin1: a character is an octet.

/** Whole numbers from 0 to below a limit, as `test/torture/random.ts` makes them. */
export type Random = (limit: number) => number;

export interface Account {
  readonly address: string;
  readonly password: string;
}

/** Draws one input: a line as a rule, sometimes a few, sometimes a piece of one. */
export function drawInput(random: Random, account: Account): string {
  const draw = random(100);
  if (draw < 60) return drawCommand(random, account) + drawLineEnd(random);
  if (draw < 85) return mutate(drawCommand(random, account) + drawLineEnd(random), random);
  if (draw < 90) return drawPipeline(random, account);
  if (draw < 94) return drawBase64(random, account) + drawLineEnd(random);
  if (draw < 99) return drawNoise(random, 40) + drawLineEnd(random);
  return drawLongLine(random) + drawLineEnd(random);
}

const keywords =
  'CAPA STLS USER PASS AUTH APOP UTF8 LANG STAT LIST RETR DELE NOOP RSET TOP UIDL QUIT'.split(' ');
const withNumber = 'LIST RETR DELE TOP UIDL'.split(' ');
/** Of other protocols, and what is nearly one of ours. */
const strangers = ['XYZZY', 'EHLO', 'GET', 'A:B', 'LISTE', 'RET', 'A1', 'LOGIN', '-ERR', '+OK', ''];
const numbers =
  '1 2 3 4 0 01 -1 +1 1.0 1e3 0x1 99 2147483647 2147483648 4294967297 18446744073709551617'.split(
    ' ',
  );
const oddWords = ['x', '*', '=', '%s%n', "';--", '../..', '\t', '\0', '\xff', '\xb2', '1\0'];
const languages = ['en', 'de', 'DE-at', '*', 'fr', 'x-'];
const sasl = ['PLAIN', 'plain', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'CRAM-MD5', ''];

function drawCommand(random: Random, account: Account): string {
  const keyword = random(12) === 0 ? pick(strangers, random) : pick(keywords, random);
  return changeCase(keyword, random) + drawArguments(keyword, random, account);
}

function drawArguments(keyword: string, random: Random, account: Account): string {
  const draw = random(10);
  if (draw === 0) return '';
  if (draw === 1) return ` ${pick(oddWords, random)}`;
  if (withNumber.includes(keyword)) {
    const count = random(3);
    return Array.from({ length: count }, () => `${spaces(random)}${pick(numbers, random)}`).join(
      '',
    );
  }
  switch (keyword) {
    case 'USER':
      return ` ${random(3) === 0 ? drawNoise(random, 12) : account.address}`;
    case 'PASS':
      return ` ${random(3) === 0 ? drawNoise(random, 12) : account.password}`;
    case 'AUTH':
      return ` ${pick(sasl, random)}${random(2) === 0 ? '' : ` ${drawBase64(random, account)}`}`;
    case 'APOP':
      return ` ${account.address} c4c9334bac560ecc979e58001b3e22fb`;
    case 'LANG':
      return ` ${pick(languages, random)}`;
    default:
      return random(6) === 0 ? ` ${pick(oddWords, random)}` : '';
  }
}

function drawBase64(random: Random, { address, password }: Account): string {
  switch (random(8)) {
    case 0:
      return '=';
    case 1:
      return '*';
    case 2:
      return base64(`\0${address}\0${password}`);
    case 3:
      return base64(`${address}\0${address}\0${password}`);
    case 4:
      return base64(random(2) === 0 ? address : password);
    case 5:
      return base64(`n,,n=${address},r=${base64(drawNoise(random, 12))}`);
    case 6:
      return base64(drawNoise(random, 30)).replace(/[/+]/g, '_');
    default:
      return base64(drawNoise(random, 30));
  }
}

function drawPipeline(random: Random, account: Account): string {
  const length = 2 + random(7);
  return Array.from({ length }, () => drawCommand(random, account) + drawLineEnd(random)).join('');
}

function drawLineEnd(random: Random): string {
  const draw = random(40);
  if (draw < 33) return '\r\n';
  if (draw < 37) return '\n';
  return pick(['', '\r', '\r\r\n', '\n\n', '\n\r'], random);
}

function drawNoise(random: Random, longest: number): string {
  const length = random(longest);
  return Array.from({ length }, () => String.fromCharCode(random(256))).join('');
}

/** Lengths around each limit, one in a hundred beyond all patience. */
function drawLongLine(random: Random): string {
  const limit = random(100) === 0 ? 65_536 : pick([253, 510, 1024, 1024, 1024, 12_288], random);
  const length = limit - 3 + random(7);
  const start = pick(['NOOP ', 'USER ', 'AUTH PLAIN ', 'PASS ', ''], random);
  return start.padEnd(length, pick(['A', ' ', '\0', '\xff', '1'], random));
}

const mutations: readonly ((text: string, at: number, random: Random) => string)[] = [
  (text, at, random) => replaceAt(text, at, String.fromCharCode(random(256))),
  (text, at) => replaceAt(text, at, ''),
  (text, at) => insertAt(text, at, '\0'),
  (text, at) => insertAt(text, at, ' '),
  (text, at) => insertAt(text, at, '\r\n'),
  (text, at, random) => insertAt(text, at, drawNoise(random, 6)),
  (text, at) => insertAt(text, at, text.slice(at)),
  (text, at) => text.slice(0, at),
  (text, at) => text.slice(at),
  (text, _, random) => text.replace(/[0-9]+/, pick(numbers, random)),
  (text, _, random) => text.replace(/ /g, ' '.repeat(1 + random(3))),
  (text, at, random) => insertAt(text, at, 'A'.repeat(random(1100))),
];

function mutate(text: string, random: Random): string {
  let mutated = text;
  for (let count = 1 + random(3); count > 0; count -= 1) {
    mutated = pick(mutations, random)(mutated, random(mutated.length + 1), random);
  }
  return mutated;
}

function replaceAt(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + 1);
}

function insertAt(text: string, at: number, what: string): string {
  return text.slice(0, at) + what + text.slice(at);
}

function changeCase(word: string, random: Random): string {
  const draw = random(8);
  return draw === 0
    ? word.toLowerCase()
    : draw === 1
      ? `${word[0] ?? ''}${word.slice(1).toLowerCase()}`
      : word;
}

function spaces(random: Random): string {
  return random(8) === 0 ? '  ' : ' ';
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

function pick<T>(choices: readonly T[], random: Random): T {
  const choice = choices[random(choices.length)];
  if (choice === undefined) throw new RangeError('nothing to choose from');
  return choice;
}
