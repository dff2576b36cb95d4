// Thunderbird as Debian has it, without a screen and with its defaults over TLS. What a user would be asked, whom to trust and
// the password, it has from a configuration in /etc/thunderbird, as in a company; only this Thunderbird sees it there.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeSignedCertificate } from '../support/accounts/certificate-authority.js';
import { makePasswordDatabase } from '../support/accounts/password-database-fixture.js';
import { makeInbox, type MaildirFixture } from '../support/mail/maildir-fixture.js';
import {
  expectProgram,
  unlessInstalled,
  unlessMountNamespaces,
  unlessRoot,
} from '../support/peers/debian.js';
import { startCommand, type RunningProgram } from '../support/programs/run-program.js';
import { startTlsMailServer } from '../support/programs/tls-mail-server.js';
import { testFolder } from '../support/suite/test-folder.js';

const skip = unlessInstalled('thunderbird', 'openssl') || unlessRoot() || unlessMountNamespaces();
const user = 'ann@example.org';
const password = 'open sesame';
const endsWithinMs = 120_000;
/** It asks for no other mechanism as long as PLAIN is announced. */
const login = /pop3d: login .*mechanism=PLAIN tls=TLSv1\.3 messages=3/;

interface Thunderbird {
  readonly inbox: MaildirFixture;
  /** The server; its stderr has pop3d's log. */
  readonly program: RunningProgram;
  /** Lets Thunderbird get new mail once, from its start to its end. @returns its Inbox, an mbox */
  readonly getMail: () => Promise<string>;
}

/** A server with two messages and an empty one, and Thunderbird with an account there. */
async function makeThunderbird(
  t: Test,
  way: 'stls' | 'implicit',
  preferences: Readonly<Record<string, unknown>> = {},
): Promise<Thunderbird> {
  const folder = testFolder(t, { home: {}, profile: {}, etc: { defaults: { pref: {} } } });
  const mailRoot = join(folder, 'mail');
  const inbox = makeInbox(mailRoot, user);
  inbox.add('From: a@b\nSubject: hello\n\nworld\n');
  inbox.add('From: a@b\nSubject: dots\n\n.\n..two\n');
  inbox.add('');
  makePasswordDatabase(join(mailRoot, 'passdb.sqlite'), { [user]: password });
  const files = makeSignedCertificate(folder, ['localhost']);
  const { port, program } = await startTlsMailServer(t, way, { mailRoot, ...files });

  writeFileSync(
    join(folder, 'profile', 'user.js'),
    writePreferences('user_pref', {
      'mail.accountmanager.accounts': 'account1',
      'mail.accountmanager.defaultaccount': 'account1',
      'mail.account.account1.server': 'server1',
      'mail.account.account1.identities': 'id1',
      'mail.identity.id1.useremail': user,
      'mail.server.server1.type': 'pop3',
      'mail.server.server1.hostname': 'localhost',
      'mail.server.server1.port': port,
      'mail.server.server1.userName': user,
      // As nsMsgSocketType has them: alwaysSTARTTLS, SSL.
      'mail.server.server1.socketType': way === 'stls' ? 2 : 3,
      // What it would get from Mozilla's servers it looks for on this machine.
      'network.dns.forceResolve': '127.0.0.1',
      'browser.dom.window.dump.enabled': true,
      ...preferences,
    }),
  );
  writeFileSync(
    join(folder, 'etc', 'defaults', 'pref', 'autoconfig.js'),
    writePreferences('pref', {
      'general.config.filename': 'autoconfig.cfg',
      'general.config.obscure_value': 0,
      'general.config.sandbox_enabled': false,
    }),
  );
  writeFileSync(
    join(folder, 'etc', 'autoconfig.cfg'),
    configuration(readFileSync(files.ca, 'latin1')),
  );

  const getMail = async (): Promise<string> => {
    const bound = `mount --bind ${join(folder, 'etc')} /etc/thunderbird && exec "$@"`;
    const running = startCommand(
      t,
      'unshare',
      [
        ...['--mount', 'sh', '-c', bound, 'sh', expectProgram('thunderbird')],
        ...['--headless', '--no-remote', '--profile', join(folder, 'profile')],
      ],
      { env: { HOME: join(folder, 'home'), LC_ALL: 'C.UTF-8' } },
    );
    const { status, stdout } = await running.finish('', endsWithinMs);
    t.equal(status, 0, `${stdout.toString()}${program.stderr}`);
    return readFileSync(join(folder, 'profile', 'Mail', 'localhost', 'Inbox'), 'latin1');
  };
  return { inbox, program, getMail };
}

function writePreferences(call: string, values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${call}(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('');
}

/** What Thunderbird runs when it starts; it skips the first line. "Get Messages" is as its window does it. */
function configuration(ca: string): string {
  const base64 = ca.replace(/-----.*-----|\n/g, '');
  return `//
async function getMail() {
  Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB)
    .addCertFromBase64('${base64}', 'CT,,');
  const login = Cc['@mozilla.org/login-manager/loginInfo;1'].createInstance(Ci.nsILoginInfo);
  login.init('mailbox://localhost', null, 'mailbox://localhost', '${user}', '${password}', '', '');
  await Services.logins.addLoginAsync(login).catch(() => 'there since the first time');
  const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs');
  const { incomingServer } = MailServices.accounts.defaultAccount;
  const inbox = incomingServer.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
  return new Promise((resolve) => {
    MailServices.pop3.GetNewMail(null, {
      OnStartRunningUrl() {},
      OnStopRunningUrl(url, result) { resolve(result === 0 ? 0 : 1); },
    }, inbox, incomingServer);
  });
}
Services.obs.addObserver(() => {
  getMail()
    .catch((error) => { dump(error + '\\n'); return 1; })
    .then((status) => Services.startup.quit(Ci.nsIAppStartup.eForceQuit, status));
}, 'mail-startup-done');
`;
}

function expectMessages(t: Test, mbox: string): void {
  t.equal(mbox.match(/^From - /gm)?.length, 3);
  t.match(mbox, '\nFrom: a@b\nSubject: hello\n\nworld\n');
  t.match(mbox, '\nFrom: a@b\nSubject: dots\n\n.\n..two\n');
}

t.test('Thunderbird logs in over STLS and takes all mail', { skip }, async (t) => {
  const { inbox, program, getMail } = await makeThunderbird(t, 'stls');
  expectMessages(t, await getMail());
  await program.logLine(login);
  await program.logLine(/pop3d: logout .*reason=quit .*retr=3\/.* dele=3 /);
  t.strictSame(inbox.contents(), []);
});

// As its window sets a new account up.
t.test('Thunderbird that leaves mail on a pop3s server fetches it once', { skip }, async (t) => {
  const { inbox, program, getMail } = await makeThunderbird(t, 'implicit', {
    'mail.server.server1.leave_on_server': true,
  });
  await getMail();
  await program.logLine(login);
  await program.logLine(/pop3d: logout .*reason=quit .*retr=3\/.* dele=0 /);
  expectMessages(t, await getMail());
  await program.logLine(/pop3d: logout .*reason=quit .*retr=0\/0 .* dele=0 /);
  t.equal(inbox.contents().length, 3);
});
