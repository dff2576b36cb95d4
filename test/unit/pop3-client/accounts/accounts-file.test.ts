import t from 'tap';
import { parseAccountsFile } from '../../../../src/pop3-client/accounts/accounts-file.js';

const environment = { HOME: '/home/ann', CREDENTIALS_DIRECTORY: '/run/credentials/x' };

t.test('sections are command lines, over what they share', (t) => {
  const { sections } = parseAccountsFile(
    'f',
    `# accounts
[defaults]
keep
directory = ~/Maildir
timeout = 30

[work]
domain = example.org
username = ann
keep = no
password-file = $CREDENTIALS_DIRECTORY/work
[home page]
domain = example.net
username = bob = x
token-command = pop3token 'bob'
`,
    environment,
  );
  t.same(sections, [
    {
      name: 'work',
      words: [
        ...['--no-keep', '--directory=/home/ann/Maildir', '--timeout=30'],
        ...['--password-file=/run/credentials/x/work', '--', 'example.org', 'ann'],
      ],
    },
    {
      name: 'home page',
      words: [
        ...['--keep', '--directory=/home/ann/Maildir', '--timeout=30'],
        ...["--token-command=pop3token 'bob'", '--', 'example.net', 'bob = x'],
      ],
    },
  ]);
  t.end();
});

t.test('what is wrong is named by file and line', (t) => {
  for (const [text, error] of [
    ['keep\n', /^f:1: an option before the first section/],
    ['[a]\n[a]\n', /^f:2: the section \[a\] is there twice/],
    ['[ ]', /^f:1: "" can be no name/],
    ['[a]\ncolour = red', /^f:2: unknown option "colour"/],
    ['[a]\n???', /^f:2: "\?\?\?" is neither an option nor \[a section\]/],
    ['[a]\npassword = x', /^f:2: use password-file/],
    ['[a]\nkeep = 30', /^f:2: keep needs yes, no or 30d, not "30"/],
    ['[a]\nrecent = perhaps', /^f:2: recent needs yes or no, not/],
    ['[a]\ntimeout', /^f:2: timeout needs a value/],
    ['[a]\nquiet', /^f:2: quiet is for the command line/],
    ['[a]\nlog-time', /^f:2: log-time is for the command line/],
    ['[a]\ntls-ca = $CREDENTIALS_DIRECTORY/x', /^f:2: CREDENTIALS_DIRECTORY is not set/],
    ['[a]\ndomain = x', /^f: \[a\] lacks username/],
    ['[defaults]\nkeep', /^f: there is no account/],
  ] as const) {
    t.throws(() => parseAccountsFile('f', text, {}), { message: error });
  }
  t.end();
});
