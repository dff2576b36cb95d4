// UTF8 and LANG. RFC 6856 §2, §3.

import { readdirSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startSession } from '../support/sessions/session-on-socket.js';
import { WireClient } from '../support/sessions/wire-client.js';

async function greeted(t: Test): Promise<WireClient> {
  const { socket } = await startSession(t);
  const client = new WireClient(socket, socket);
  await client.status();
  return client;
}

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');

t.test('UTF8 is accepted before the login and after it, in one session', async (t) => {
  const client = await greeted(t);
  t.equal(await client.command('UTF8'), '+OK UTF-8 it is');
  t.equal(await client.command('UTF8 USER'), '-ERR This command takes no arguments');
  await client.ok('USER ann@example.org');
  await client.ok('PASS open sesame');
  t.equal(await client.command('utf8'), '+OK UTF-8 it is');
});

t.test('a user name beyond ASCII logs in, with or without UTF8', async (t) => {
  const accounts = { 'jürgen@example.org': 'pä55' };
  for (const commands of [['UTF8'], []]) {
    const { socket } = await startSession(t, { accounts });
    const client = new WireClient(socket, socket);
    await client.status();
    for (const command of commands) await client.ok(command);
    await client.ok(Buffer.from('USER jürgen@example.org').toString('latin1'));
    await client.ok(Buffer.from('PASS pä55').toString('latin1'));
  }
});

t.test('a user name that is not UTF-8 is a login that fails like any other', async (t) => {
  const client = await greeted(t);
  await client.ok('USER j\xfcrgen@example.org');
  t.equal(await client.command('PASS x'), '-ERR [AUTH] Authentication failed');
});

t.test('LANG alone lists the languages, each in its own words', async (t) => {
  const client = await greeted(t);
  t.strictSame(await client.listing('LANG'), ['de Deutsch', 'en English']);
});

for (const tag of ['de', 'DE', 'de-AT', 'de-Latn-CH']) {
  t.test(`LANG ${tag} answers in German from then on, in UTF-8`, async (t) => {
    const client = await greeted(t);
    t.equal(await client.command(`LANG ${tag}`), '+OK de Ab jetzt auf Deutsch');
    t.equal(utf8(await client.command('CAPA')), '+OK Es folgen die Fähigkeiten');
    await client.multiline();
    await client.ok('USER ann@example.org');
    t.equal(await client.command('PASS open sesame'), '+OK Angemeldet, 1 Nachricht');
    await client.ok('DELE 1');
    t.equal(utf8(await client.command('RETR 1')), '-ERR Nachricht 1 ist gelöscht');
    t.equal(await client.command('LANG *'), '+OK en English from now on', '* is the default');
    t.equal(await client.command('RETR 1'), '-ERR Message 1 is deleted');
  });
}

for (const tag of ['fr', 'd', 'dex', '../en', 'en.json', '-', 'x'.repeat(200)]) {
  t.test(`LANG ${tag.slice(0, 20)} is refused, and the language stays`, async (t) => {
    const client = await greeted(t);
    await client.ok('LANG de');
    t.equal(await client.command(`LANG ${tag}`), '-ERR Diese Sprache wird hier nicht gesprochen');
  });
}

t.test('LANG with two tags is refused', async (t) => {
  const client = await greeted(t);
  t.equal(await client.command('LANG de en'), '-ERR Too many arguments');
});

t.test('every language has every text, with the same values in it, within a reply line', (t) => {
  const folder = new URL('../../../src/pop3-server/texts/languages/', import.meta.url);
  const read = (name: string): Record<string, string | Record<string, string>> =>
    JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as ReturnType<typeof read>;
  const formsOf = (text: string | Record<string, string> = ''): readonly string[] =>
    typeof text === 'string' ? [text] : Object.values(text);
  const valuesIn = (text: string): string[] => [...(text.match(/\{\w+\}/g) ?? [])].sort();
  const english = read('en.json');
  const files = readdirSync(folder);
  t.ok(files.length >= 2);
  for (const file of files) {
    const texts = read(file);
    t.strictSame(Object.keys(texts).sort(), Object.keys(english).sort(), file);
    const { pluralCategories } = new Intl.PluralRules(file.slice(0, 2)).resolvedOptions();
    for (const [name, forms] of Object.entries(texts)) {
      if (typeof forms !== 'string') {
        t.strictSame(Object.keys(forms).sort(), [...pluralCategories].sort(), `${file}: ${name}`);
      }
      const [values] = formsOf(english[name]).map(valuesIn);
      for (const text of formsOf(forms)) {
        t.strictSame(valuesIn(text), values, `${file}: ${name}`);
        t.ok(Buffer.byteLength(text) < 400, `${file}: ${name} leaves room for codes and values`);
        t.notMatch(text, /^\[|[\r\n]/, `${file}: ${name} cannot be taken for a response code`);
      }
    }
  }
  t.end();
});
