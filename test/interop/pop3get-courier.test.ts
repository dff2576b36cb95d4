// pop3get and Courier, which sends a notice in the place of mail with UTF-8 in its header to clients that do not say UTF8.

import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { makeInbox } from '../support/mail/maildir-fixture.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { makeMaildir, runPop3get, storedContents } from '../support/programs/pop3get-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

/** Stands for the program that logs in, and tells Courier's server what was said before. */
async function startCourier(t: Test, maildir: string, capabilities: string): Promise<number> {
  const serve = (socket: Socket): void => {
    let isUtf8 = false;
    socket.write('+OK ready\r\n');
    const answer = (chunk: Buffer): void => {
      const [line = ''] = chunk.toString('latin1').split('\r\n');
      if (line === 'CAPA') socket.write(`+OK\r\n${capabilities}.\r\n`);
      else if (line.startsWith('PASS')) {
        socket.off('data', answer);
        const server = spawn(expectProgram('courierpop3d'), [], {
          env: {
            ...{ AUTHENTICATED: 'ann', AUTHADDR: 'ann', TCPREMOTEIP: '127.0.0.1' },
            ...{ MAILDIR: maildir, UTF8: isUtf8 ? '1' : '0' },
          },
          stdio: ['pipe', 'pipe', 'ignore'],
        });
        socket.pipe(server.stdin);
        server.stdout.pipe(socket);
      } else {
        if (line === 'UTF8') isUtf8 = true;
        socket.write('+OK\r\n');
      }
    };
    socket.on('data', answer).on('error', () => undefined);
  };
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test(
  'mail with UTF-8 in its header comes itself, and not a notice of Courier',
  { skip: unlessInstalled('courierpop3d') },
  async (t) => {
    const inbox = makeInbox(testFolder(t, {}), 'ann@example.org');
    inbox.add('From: a@example.org\nSubject: gr\u00fcn\n\nbody\n');
    for (const [capabilities, isItself] of [
      ['USER\r\nUIDL\r\n', false],
      ['UTF8 USER\r\nUSER\r\nUIDL\r\n', true],
    ] as const) {
      const port = await startCourier(t, inbox.path, capabilities);
      const maildir = makeMaildir(t);
      const { status, stderr } = await runPop3get(t, port, maildir, ['--keep']);
      t.equal(status, 0, stderr);
      const [text = ''] = storedContents(maildir);
      const subject = /^Subject: (.*?)\r$/m.exec(Buffer.from(text, 'latin1').toString())?.[1];
      t.equal(subject === 'gr\u00fcn', isItself, text);
    }
  },
);
