// pop3get as a program: its options, its streams, its exit statuses, and what others can see of it.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { deadline, poll } from '../support/suite/deadline.js';
import { unlessInstalled } from '../support/peers/debian.js';
import {
  makeMaildir,
  numberedMessages,
  reply,
  runPop3get,
  silence,
  sortedContents,
  startFakeServer,
  storedContents,
} from '../support/programs/pop3get-fixture.js';
import {
  builtProgram,
  runProgram,
  startCommand,
  startProgram,
} from '../support/programs/run-program.js';
import { testFolder } from '../support/suite/test-folder.js';

const three = numberedMessages(3);

t.test('usage errors are two lines and 100', async (t) => {
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [['host'], /too few arguments/],
    [['--tls', 'maybe', 'host', 'ann', 'x'], /--tls must be one of/],
    [['--tls-fingerprint', 'abc', 'host', 'ann', 'x'], /64 hex digits/],
    [['--dns-server', 'ns.example.org', 'host', 'ann', 'x'], /--dns-server needs/],
    [['--port', '0', 'host', 'ann', 'x'], /--port needs a whole number/],
    [['host', 'ann\r\nDELE 1', 'x'], /the username holds a line end/],
    [['--password-file', '/dev/null', 'host', 'ann', 'x'], /give one of/],
  ];
  for (const [args, message] of rows) {
    const { status, stdout, stderr } = await runProgram(t, 'pop3get', args);
    t.equal(status, 100);
    t.equal(stdout.length, 0);
    t.match(stderr, message);
    t.equal(stderr.trim().split('\n').length, 2);
  }
});

t.test('--help names every option and warns of passwords as arguments', async (t) => {
  const { status, stdout } = await runProgram(t, 'pop3get', ['/?']);
  t.equal(status, 0);
  t.match(stdout.toString(), /can be seen by other users/);
  t.match(stdout.toString(), /--\[no-\]srv_superdomains/);
});

t.test('what is no Maildir is refused before anything is asked of the server', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const { status, stderr } = await runPop3get(t, server.port, testFolder(t, { new: {} }));
  t.equal(status, 100);
  t.match(stderr, /no directory tmp/);
  t.equal(server.sessions, 0);
});

t.test('a password as argument is not to be seen once it runs', async (t) => {
  const server = await startFakeServer(t, {
    messages: three,
    fault: (line) => (line === 'CAPA' ? silence : undefined),
  });
  const program = startProgram(t, 'pop3get', [
    ...['--port', String(server.port), '--directory', makeMaildir(t)],
    ...['127.0.0.1', 'ann', 'very secret'],
  ]);
  await poll('it connects', () => Promise.resolve(server.commands[0]));
  const seen = readFileSync(`/proc/${program.pid}/cmdline`, 'utf8');
  t.match(seen, /^pop3get 127.0.0.1 ann/);
  t.notMatch(seen, /secret/);
  program.kill('SIGTERM');
  t.same(await program.ending, { status: 111, signal: null });
  t.match(program.stderr, /stopped by SIGTERM/);
  t.notMatch(program.stderr, /secret/);
});

t.test('"-" reads the password from standard input', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const args = ['--port', String(server.port), '--directory', makeMaildir(t)];
  const result = await runProgram(t, 'pop3get', [...args, '127.0.0.1', 'ann', '-'], {
    input: 'from a pipe\n',
  });
  t.equal(result.status, 0);
  t.ok(server.commands.includes('PASS from a pipe'));
});

t.test('--dry-run says what would be done and does none of it', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const maildir = makeMaildir(t);
  const { status, stdout } = await runPop3get(t, server.port, maildir, ['--dry-run']);
  t.equal(status, 0);
  t.match(stdout.toString(), /^fetch 1 octets=\d+ uid=id-1\n(.*\n){2}3 messages at /);
  t.notMatch(server.commands.join('\n'), /RETR|DELE/);
  t.same(readdirSync(maildir).sort(), ['cur', 'new', 'tmp']);
});

t.test('--json prints a summary, --quiet nothing', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const args = ['--json', '--quiet'];
  const { stdout, stderr } = await runPop3get(t, server.port, makeMaildir(t), args);
  t.match(JSON.parse(stdout.toString()), {
    stored: 3,
    deleted: 3,
    failed: [],
    error: null,
    exit: 0,
  });
  t.equal(stderr, '');
});

t.test('two runs for one account: the second leaves with 111 and touches nothing', async (t) => {
  const server = await startFakeServer(t, {
    messages: three,
    fault: (line, session) => (line === 'RETR 1' && session === 1 ? silence : undefined),
  });
  const maildir = makeMaildir(t);
  const args = ['--port', String(server.port), '--directory', maildir, '127.0.0.1', 'ann', 'x'];
  const first = startProgram(t, 'pop3get', args);
  await poll('the first is at work', () =>
    Promise.resolve(server.commands.includes('RETR 1') ? true : undefined),
  );
  const second = await runPop3get(t, server.port, maildir);
  t.equal(second.status, 111);
  t.match(second.stderr, /another pop3get/);
  t.equal(server.sessions, 1);
  first.kill('SIGKILL');
  await first.ending;
  t.equal((await runPop3get(t, server.port, maildir)).status, 0, 'the lock dies with its holder');
  t.same([...storedContents(maildir)].sort(), sortedContents(three));
});

t.test('a lost journal costs a download, not a second copy', async (t) => {
  const server = await startFakeServer(t, { messages: three });
  const maildir = makeMaildir(t);
  t.equal((await runPop3get(t, server.port, maildir, ['--keep'])).status, 0);
  for (const name of readdirSync(maildir).filter((one) => one.startsWith('pop3get.'))) {
    rmSync(join(maildir, name));
  }
  const { stderr } = await runPop3get(t, server.port, maildir, ['--keep']);
  t.match(stderr, /stored=0 .*known=3/);
  t.equal(storedContents(maildir).length, 3);
});

t.test(
  'a terminal shows a progress bar, and no more of it than the summary stays',
  { skip: unlessInstalled('script') },
  async (t) => {
    let release = (): void => undefined;
    const server = await startFakeServer(t, {
      messages: three,
      capabilities: ['USER', 'UIDL'],
      fault: (line, _session, socket) => {
        if (line !== 'RETR 3') return undefined;
        // The last message waits until the bar has been seen.
        const [, , message] = three;
        release = () => socket.write(reply(message?.content ?? Buffer.alloc(0)));
        return '';
      },
    });
    const words = [process.execPath, builtProgram('pop3get'), '--port', String(server.port)];
    const rest = ['--directory', makeMaildir(t), '127.0.0.1', 'ann', 'x'];
    const command = [...words, ...rest].map((word) => `'${word}'`).join(' ');
    const child = startCommand(t, 'script', ['-qec', command, '/dev/null']);
    let screen = '';
    const bar = /\d+\/3 messages {2}[\d.]+ k?B {2}[\d.]+ [kM]?B\/s {2}\d+ s left/;
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
      if (!bar.test(screen)) return;
      release();
      // Once: the bar is drawn again.
      release = () => undefined;
    });
    const { status } = await deadline(child.ending, 20_000, () => screen);
    t.equal(status, 0, screen);
    t.match(screen, bar);
    // The bar's line is cleared before the summary is written.
    t.match(screen, /\x1b\[(0?K|2K|0?J)[^]*pop3get: done account=/);
  },
);

t.test('an endless message takes little memory', async (t) => {
  const piece = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(60));
  const server = await startFakeServer(t, {
    messages: three,
    fault: (line, _session, socket) => {
      if (line !== 'RETR 1') return undefined;
      // The rest of what was asked stands behind the endless reply.
      socket.removeAllListeners('data').resume();
      socket.write('+OK\r\n');
      const go = (): void => {
        while (!socket.destroyed && socket.write(piece)) continue;
        if (!socket.destroyed) socket.once('drain', go);
      };
      go();
      return silence;
    },
  });
  const program = startProgram(t, 'pop3get', [
    ...['--port', String(server.port), '--directory', makeMaildir(t), '--limit', '150000000'],
    ...['127.0.0.1', 'ann', 'x'],
  ]);
  let peakKilobytes = 0;
  const watch = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${program.pid}/status`, 'utf8');
      peakKilobytes = Math.max(peakKilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has ended.
    }
  }, 20);
  const { status } = await program.ending;
  clearInterval(watch);
  t.equal(status, 1);
  t.ok(peakKilobytes > 0 && peakKilobytes < 120_000, `${peakKilobytes} kB`);
  t.equal(server.messages.length, 1);
});

t.test('the fixture stuffs dots', (t) => {
  t.equal(reply(Buffer.from('.a\r\n..\r\n')).toString(), '+OK\r\n..a\r\n...\r\n.\r\n');
  t.end();
});
