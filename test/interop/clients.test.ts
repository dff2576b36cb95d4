// Other people's POP3 clients over tcpsrun and pop3d, on a Maildir that Debian's maildrop(1) delivered into.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asSent } from '../support/mail/as-sent.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makeDeliveredMaildrop } from '../support/mail/delivered-maildrop.js';
import type { MaildirFixture } from '../support/mail/maildir-fixture.js';
import { startMailServer } from '../support/programs/mail-server.js';
import { ordinaryMessages } from '../support/mail/ordinary-messages.js';
import { runCommand, type Result } from '../support/programs/run-program.js';

const messages = ordinaryMessages();
const user = 'ann@example.org';
const password = 'open sesame';

interface Served {
  readonly port: number;
  readonly inbox: MaildirFixture;
  /** A folder for the client's own files. */
  readonly folder: string;
}

async function serve(t: Test): Promise<Served> {
  const folder = testFolder(t, {});
  const mailRoot = join(folder, 'mail');
  const inbox = await makeDeliveredMaildrop(t, mailRoot, messages);
  // What each client's result is compared with are the files themselves.
  t.strictSame(inbox.contents(), messages, 'maildrop(1) stored the messages as they are');
  const { port } = await startMailServer(t, mailRoot);
  return { port, inbox, folder };
}

async function succeed(
  t: Test,
  command: string,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<Result> {
  const result = await runCommand(t, expectProgram(command), args, { input });
  t.equal(result.status, 0, `${command} succeeds: ${result.stderr}`);
  return result;
}

t.test(
  'curl lists, retrieves byte-exactly and deletes',
  { skip: unlessInstalled('curl', 'maildrop') },
  async (t) => {
    const { port, inbox } = await serve(t);
    const curl = async (...args: readonly string[]): Promise<Buffer> =>
      (await succeed(t, 'curl', ['--silent', '--show-error', '-u', `${user}:${password}`, ...args]))
        .stdout;
    const url = `pop3://127.0.0.1:${port}/`;
    t.equal(
      (await curl(url)).toString(),
      messages.map((message, index) => `${index + 1} ${asSent(message).length}\r\n`).join(''),
    );
    for (const [index, message] of messages.entries()) {
      t.ok((await curl(`${url}${index + 1}`)).equals(asSent(message)), `message ${index + 1}`);
    }
    // --list-only tells curl to expect one line only.
    await curl('--list-only', '--request', 'DELE', `${url}2`);
    t.strictSame(inbox.contents(), [messages[0], messages[2], messages[3]]);
  },
);

const poplibScript = `
import hashlib, poplib, sys
port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
mail = poplib.POP3('127.0.0.1', port, timeout=20)
mail.user(user)
mail.pass_(password)
count, total = mail.stat()
listing = [line.decode() for line in mail.list()[1]]
assert count == len(listing) == len(mail.uidl()[1])
assert total == sum(int(line.split()[1]) for line in listing)
for line in listing:
    number, octets = line.split()
    response, lines, received = mail.retr(int(number))
    message = b''.join(line + b'\\r\\n' for line in lines)
    print(number, octets, len(message), hashlib.sha256(message).hexdigest())
    assert mail.top(int(number), 0)[1][-1] == b''
mail.dele(1)
mail.dele(4)
mail.quit()
`;
import { testFolder } from '../support/suite/test-folder.js';

t.test(
  "Python's poplib lists, retrieves byte-exactly and deletes",
  { skip: unlessInstalled('python3', 'maildrop') },
  async (t) => {
    const { port, inbox } = await serve(t);
    const { stdout } = await succeed(t, 'python3', [
      '-c',
      poplibScript,
      String(port),
      user,
      password,
    ]);
    t.strictSame(stdout.toString().trimEnd().split('\n'), expectedDigests());
    t.strictSame(inbox.contents(), [messages[1], messages[2]]);
  },
);

const perlScript = `
use strict; use warnings;
use Net::POP3; use Digest::SHA qw(sha256_hex);
my ($port, $user, $password) = @ARGV;
my $pop = Net::POP3->new('127.0.0.1', Port => $port, Timeout => 20) or die "connect: $@";
my $count = $pop->login($user, $password);
defined $count or die 'login: ' . $pop->message;
my $list = $pop->list;
$count == keys %$list or die "login says $count";
keys %{$pop->uidl} == $count or die 'uidl';
for my $number (sort { $a <=> $b } keys %$list) {
  my $message = join '', @{ $pop->get($number) or die "get $number: " . $pop->message };
  $message =~ s/\\n/\\r\\n/g;
  print "$number $list->{$number} ", length $message, ' ', sha256_hex($message), "\\n";
  @{ $pop->top($number, 0) } or die "top $number";
}
$pop->delete(1) and $pop->delete(4) or die 'delete: ' . $pop->message;
$pop->quit or die 'quit: ' . $pop->message;
`;

t.test(
  "Perl's Net::POP3 lists, retrieves byte-exactly and deletes",
  { skip: unlessInstalled('perl', 'maildrop') },
  async (t) => {
    const { port, inbox } = await serve(t);
    const { stdout } = await succeed(t, 'perl', ['-e', perlScript, String(port), user, password]);
    t.strictSame(stdout.toString().trimEnd().split('\n'), expectedDigests());
    t.strictSame(inbox.contents(), [messages[1], messages[2]]);
  },
);

t.test(
  'fetchmail fetches every message byte-exactly and empties the maildrop',
  { skip: unlessInstalled('fetchmail', 'maildrop') },
  async (t) => {
    const { port, inbox, folder } = await serve(t);
    const home = join(folder, 'fetchmail');
    mkdirSync(home);
    const control = join(home, 'fetchmailrc');
    const deliver = join(home, 'deliver');
    writeFileSync(deliver, `cat >'${home}/message'.$$\n`);
    // "invisible" and "no rewrite" keep fetchmail from adding to the header; its MDA gets LF line ends.
    writeFileSync(
      control,
      [
        'set invisible',
        `poll 127.0.0.1 protocol pop3 port ${port} auth password`,
        `  user "${user}" password "${password}" sslproto ""`,
        '  no rewrite fetchall no keep',
        `  mda "/bin/sh ${deliver}"`,
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const result = await runCommand(
      t,
      expectProgram('fetchmail'),
      ['--fetchmailrc', control, '--nodetach', '--idfile', join(home, 'ids')],
      { env: { FETCHMAILHOME: home } },
    );
    t.equal(result.status, 0, `fetchmail: ${result.stderr}${result.stdout.toString()}`);
    t.strictSame(sorted(readStored(home, /^message\./)), sorted(messages));
    t.strictSame(inbox.contents(), []);
  },
);

t.test(
  'mpop fetches every message byte-exactly and empties the maildrop',
  { skip: unlessInstalled('mpop', 'maildrop') },
  async (t) => {
    const { port, inbox, folder } = await serve(t);
    const store = join(folder, 'mpop');
    for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(store, part), { recursive: true });
    const control = join(folder, 'mpoprc');
    writeFileSync(
      control,
      [
        'account default',
        'host 127.0.0.1',
        `port ${port}`,
        `user ${user}`,
        `password "${password}"`,
        'auth user',
        'keep off',
        'received_header off',
        `uidls_file ${join(folder, 'mpop.uidls')}`,
        `delivery maildir ${store}`,
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    await succeed(t, 'mpop', ['--file', control, '--quiet']);
    t.strictSame(sorted(readStored(join(store, 'new'), /./)), sorted(messages));
    t.strictSame(inbox.contents(), []);
  },
);

/** What the scripts print of each message: number, octets announced, octets received, SHA-256. */
function expectedDigests(): string[] {
  return messages.map((message, index) => {
    const sent = asSent(message);
    return `${index + 1} ${sent.length} ${sent.length} ${sha256(sent)}`;
  });
}

function readStored(folder: string, name: RegExp): Buffer[] {
  return readdirSync(folder)
    .filter((entry) => name.test(entry))
    .map((entry) => readFileSync(join(folder, entry)));
}

function sorted(buffers: readonly Buffer[]): Buffer[] {
  return [...buffers].sort((one, other) => Buffer.compare(one, other));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
