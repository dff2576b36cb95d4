import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  asksFor,
  findMistakenOption,
  formatOptionHelp,
  parseCommandLine,
  tryWholeNumber,
  type OptionTable,
} from '../../../../src/system/program/options.js';
import { fixedDraws } from '../../../support/mail/arbitrary-message.js';
import { holds } from '../../../support/suite/property.js';
import { UsageError } from '../../../../src/system/failures/failures.js';

const table = {
  rules: { kind: 'text', value: 'FILE', help: 'access rules', env: 'RULES' },
  uidl: { kind: 'text', value: 'KIND', choices: ['filename', 'dovecot'], help: 'unique-ids' },
  'idle-timeout': { kind: 'number', value: 'S', min: 1, max: 86_400, help: 'idle', env: 'IDLE' },
  tls: { kind: 'flag', help: 'speak TLS', env: 'TLS' },
  srv_self: { kind: 'flag', help: 'ask for SRV' },
  'no-fork': { kind: 'flag', help: 'stay in the foreground' },
} as const satisfies OptionTable;

/** The options given, and the positionals where there are any. */
function parse(argv: readonly string[], environment: Record<string, string> = {}): unknown {
  const { options, positionals } = parseCommandLine(table, argv, environment);
  return positionals.length === 0 ? { ...options } : { ...options, positionals };
}

/** What a UsageError says about the command line; null when it is accepted. */
function refusalOf(
  argv: readonly string[],
  environment: Record<string, string> = {},
): string | null {
  try {
    parse(argv, environment);
    return null;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

t.test('an option that may be given more than once has all its values, in order', (t) => {
  const lists = { cert: { kind: 'list', value: 'FILE', help: 'x', env: 'CERT' } } as const;
  const certs = (argv: readonly string[], environment = {}): unknown =>
    parseCommandLine(lists, argv, environment).options.cert;
  t.same(certs(['--cert', 'a', '/CERT:b', '--cert=a']), ['a', 'b', 'a']);
  t.same(certs(['--cert', 'a'], { CERT: 'b' }), ['a']);
  t.same(certs([], { CERT: 'a:b' }), ['a:b'], 'the environment has one');
  t.equal(certs([]), undefined);
  t.end();
});

t.test('help is asked for by --help, and by /HELP where that is no value', (t) => {
  for (const [argv, asked] of [
    [['--help'], true],
    [['a', '/HELP'], true],
    [['--tls', '/help'], true],
    [['--rules=a', '/Help'], true],
    [['--rules', '/help'], false],
    [['--', '/HELP'], false],
    [['--', '--help'], false],
    [['/HELP+'], false],
  ] as const) {
    t.equal(asksFor('help', table, argv), asked, argv.join(' '));
  }
  t.end();
});

t.test('what stands first, looks like an option and is no file was meant as one', (t) => {
  const mistaken = (argv: readonly string[]): string | undefined =>
    findMistakenOption(
      argv,
      parseCommandLine(table, argv, {}).positionals,
      (path) => path === '/etc',
    );
  t.equal(mistaken(['/RUELS', 'a', 'b']), '/RUELS');
  t.equal(mistaken(['--tls', '/ruels:a', 'b']), '/ruels:a');
  t.equal(mistaken(['/ruels', 'a']), '/ruels');
  t.equal(mistaken(['/tmp/ruels', 'a']), undefined);
  t.equal(mistaken(['/etc', 'b']), undefined);
  t.equal(mistaken(['/etc/rules']), undefined);
  t.equal(mistaken(['a', '/RUELS']), undefined);
  t.equal(mistaken(['--', '/RUELS']), undefined);
  t.equal(mistaken([]), undefined);
  t.end();
});

const accepted: readonly (readonly [argv: readonly string[], parsed: object])[] = [
  [[], {}],
  [['--rules', 'a'], { rules: 'a' }],
  [['--rules=a'], { rules: 'a' }],
  [['--rules=a=b'], { rules: 'a=b' }],
  [['--rules='], { rules: '' }],
  [['--rules', ''], { rules: '' }],
  [['--rules=a\nb'], { rules: 'a\nb' }],
  [['--rules', '-1'], { rules: '-1' }],
  [['--rules', '007'], { rules: '007' }],
  [['--rules=true'], { rules: 'true' }],
  [['--uidl', 'dovecot'], { uidl: 'dovecot' }],
  [['--idle-timeout', '1'], { 'idle-timeout': 1 }],
  [['--idle-timeout=86400'], { 'idle-timeout': 86_400 }],
  [['--tls'], { tls: true }],
  [['--no-tls'], { tls: false }],
  [['--tls', 'a'], { tls: true, positionals: ['a'] }],
  [['--no-fork'], { 'no-fork': true }],
  [['--no-no-fork'], { 'no-fork': false }],
  [['/RULES', 'a'], { rules: 'a' }],
  [['/rules:a'], { rules: 'a' }],
  [['/Rules:a:b'], { rules: 'a:b' }],
  [['/RULES:'], { rules: '' }],
  [['/RULES:/etc/rules'], { rules: '/etc/rules' }],
  [['/IDLE-TIMEOUT', '60'], { 'idle-timeout': 60 }],
  [['/TLS'], { tls: true }],
  [['/TLS+'], { tls: true }],
  [['/tls-'], { tls: false }],
  [['/SRV_SELF-'], { srv_self: false }],
  [['/etc/rules'], { positionals: ['/etc/rules'] }],
  [['/etc'], { positionals: ['/etc'] }],
  [['/'], { positionals: ['/'] }],
  [['/constructor'], { positionals: ['/constructor'] }],
  [['/RULES+'], { positionals: ['/RULES+'] }],
  [['-'], { positionals: ['-'] }],
  [[''], { positionals: [''] }],
  [['0.0.0.0', '110', '1e3'], { positionals: ['0.0.0.0', '110', '1e3'] }],
  [['a', '--tls', 'b'], { tls: true, positionals: ['a', 'b'] }],
  [['--', '--tls', '/TLS', '--', '-x'], { positionals: ['--tls', '/TLS', '--', '-x'] }],
  [['a', '--', 'b'], { positionals: ['a', 'b'] }],
];

for (const [argv, parsed] of accepted) {
  t.test(`${JSON.stringify(argv)} is ${JSON.stringify(parsed)}`, (t) => {
    t.same(parse(argv), parsed);
    t.end();
  });
}

const refused: readonly (readonly [argv: readonly string[], message: string])[] = [
  [['--nonsense'], 'unknown option --nonsense'],
  [['--nonsense=secret'], 'unknown option --nonsense'],
  [['--RULES', 'a'], 'unknown option --RULES'],
  [['--constructor'], 'unknown option --constructor'],
  [['--__proto__=a'], 'unknown option --__proto__'],
  [['--__proto__.tls=a'], 'unknown option --__proto__.tls'],
  [['--no-nonsense'], 'unknown option --no-nonsense'],
  [['--=a'], 'unknown option --'],
  [['-h'], 'unknown option -h'],
  [['-1'], 'unknown option -1'],
  [['--rules'], 'option --rules needs a value'],
  [['a', '/RULES'], 'option --rules needs a value'],
  [['--no-rules'], 'option --rules cannot be negated'],
  [['--tls=1'], 'option --tls takes no value'],
  [['/TLS:1'], 'option --tls takes no value'],
  [['--tls', '--tls'], 'option --tls is given twice'],
  [['--tls', '/TLS-'], 'option --tls is given twice'],
  [['--rules', 'a', '/RULES:b'], 'option --rules is given twice'],
  [['--uidl', 'Dovecot'], 'option --uidl must be one of filename, dovecot, not "Dovecot"'],
  ...['', '0', '86401', '-1', '+1', '1.5', '1e2', '0x10', ' 1', '1 ', 'x', '--tls'].map(
    (text) =>
      [
        ['--idle-timeout', text],
        `option --idle-timeout needs a whole number from 1 to 86400, not "${text}"`,
      ] as const,
  ),
];

for (const [argv, message] of refused) {
  t.test(`${JSON.stringify(argv)} is refused: ${message}`, (t) => {
    t.equal(refusalOf(argv), message);
    t.end();
  });
}

t.test('the environment supplies what the command line does not', (t) => {
  t.same(parse([], { RULES: 'a', IDLE: '5', TLS: '1' }), {
    rules: 'a',
    'idle-timeout': 5,
    tls: true,
  });
  t.same(parse(['--rules', 'b', '--no-tls'], { RULES: 'a', TLS: '1' }), { rules: 'b', tls: false });
  t.end();
});

t.test('an empty variable counts as unset', (t) => {
  t.same(parse([], { RULES: '', IDLE: '', TLS: '' }), {});
  t.end();
});

t.test('a bad variable that the command line overrides does no harm', (t) => {
  t.same(parse(['--idle-timeout', '9'], { IDLE: 'x' }), { 'idle-timeout': 9 });
  t.end();
});

t.test('a flag in the environment is 1, yes, true, 0, no or false', (t) => {
  for (const text of ['1', 'yes', 'true']) t.same(parse([], { TLS: text }), { tls: true }, text);
  for (const text of ['0', 'no', 'false']) t.same(parse([], { TLS: text }), { tls: false }, text);
  for (const text of ['2', 'on', 'constructor', '__proto__', 'toString']) {
    t.equal(refusalOf([], { TLS: text }), `environment variable TLS must be 1 or 0, not "${text}"`);
  }
  t.end();
});

t.test('a bad number in the environment is an error that names the variable', (t) => {
  t.equal(
    refusalOf([], { IDLE: '0' }),
    'environment variable IDLE needs a whole number from 1 to 86400, not "0"',
  );
  t.end();
});

t.test('any text value and any positionals come through as they are, in either spelling', (t) => {
  holds(
    t,
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), (value, positionals) => {
      const expected = { rules: value, ...(positionals.length === 0 ? {} : { positionals }) };
      for (const spelling of [['--rules', value], [`--rules=${value}`], [`/RULES:${value}`]]) {
        assert.deepEqual(parse([...spelling, '--', ...positionals]), expected);
      }
    }),
    { ...fixedDraws, numRuns: 300 },
  );
  t.end();
});

t.test('any command line is parsed or refused with a UsageError', (t) => {
  const token = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('--', '-', '/', '--tls', '--no-', '/TLS-', '--rules', '--rules=', '/UIDL:'),
    fc.constantFrom(
      '--__proto__',
      '--no-__proto__=1',
      '/__proto__',
      '--toString',
      '/?',
      '--=',
      '=',
    ),
  );
  holds(
    t,
    fc.property(fc.array(token, { maxLength: 6 }), (argv) => {
      try {
        const { options } = parseCommandLine(table, argv, {});
        for (const name of Object.keys(options)) assert.ok(Object.hasOwn(table, name));
      } catch (error) {
        assert.ok(error instanceof UsageError, String(error));
      }
    }),
    fixedDraws,
  );
  t.end();
});

t.test('a whole number is decimal, unsigned, and in range with both ends', (t) => {
  t.equal(tryWholeNumber('0', 0, 5), 0);
  t.equal(tryWholeNumber('5', 0, 5), 5);
  t.equal(tryWholeNumber('005', 0, 5), 5);
  t.equal(tryWholeNumber('999999999999999', 0, Number.MAX_SAFE_INTEGER), 999_999_999_999_999);
  for (const text of ['6', '', '-0', '+1', '1.0', '1\n', '1e0', '1000000000000000']) {
    t.equal(tryWholeNumber(text, 0, 5), null, JSON.stringify(text));
  }
  t.end();
});

t.test('the help shows each option in its line, aligned, with its variable', (t) => {
  t.same(formatOptionHelp(table).split('\n'), [
    '  --rules FILE      access rules [env RULES]',
    '  --uidl KIND       unique-ids',
    '  --idle-timeout S  idle [env IDLE]',
    '  --[no-]tls        speak TLS [env TLS]',
    '  --[no-]srv_self   ask for SRV',
    '  --[no-]no-fork    stay in the foreground',
    '',
  ]);
  t.equal(formatOptionHelp({}), '');
  t.end();
});
