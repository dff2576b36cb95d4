import t from 'tap';
import { Refused } from '../../../../src/pop3-client/settings/failures.js';
import {
  locateServers,
  superdomainsOf,
  type Target,
} from '../../../../src/pop3-client/find/locate.js';
import type { NameServer, SrvAnswer } from '../../../../src/pop3-client/find/name-server.js';
import type { LocationSettings } from '../../../../src/pop3-client/settings/settings.js';

const settings: LocationSettings = {
  domain: 'example.org',
  byAddress: false,
  srvSelf: true,
  srvSuperdomains: false,
  implicit: true,
  families: [6, 4],
  port: null,
  tls: 'auto',
  dnsServers: null,
};

async function locate(one: LocationSettings, dns: NameServer): Promise<readonly Target[]> {
  return locateServers(one, dns, new AbortController().signal);
}

/** Answers from a table; `service.domain` is the key. */
function answering(table: Readonly<Record<string, SrvAnswer>>): NameServer & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    findService: (service, domain) => {
      asked.push(`${service}.${domain}`);
      return Promise.resolve(table[`${service}.${domain}`] ?? { kind: 'nothing' });
    },
    findAddresses: () => Promise.resolve([]),
  };
}

const at = (name: string, port: number): SrvAnswer => ({
  kind: 'records',
  records: [{ name, port, priority: 0, weight: 0 }],
});

t.test('pop3s goes before pop3, whose targets must then offer TLS as well', async (t) => {
  const dns = answering({
    'pop3s.example.org': at('a.example.org', 995),
    'pop3.example.org': at('b.example.org', 110),
  });
  t.same(await locate(settings, dns), [
    { host: 'a.example.org', port: 995, tls: 'implicit', names: ['a.example.org', 'example.org'] },
    {
      host: 'b.example.org',
      port: 110,
      tls: 'required-stls',
      names: ['b.example.org', 'example.org'],
    },
  ]);
});

t.test(
  "a target outside the domain needs the domain's certificate: DNS may be forged",
  async (t) => {
    const dns = answering({ 'pop3s.example.org': at('evil.example.net', 995) });
    t.match(await locate(settings, dns), [{ names: ['example.org'] }]);
    const alike = answering({ 'pop3s.example.org': at('evilexample.org', 995) });
    t.match(await locate(settings, alike), [{ names: ['example.org'] }]);
  },
);

t.test('superdomains are asked nearest first, and the top-level domain never', async (t) => {
  t.same(superdomainsOf('a.b.example.org.'), ['b.example.org', 'example.org']);
  t.same(superdomainsOf('example.org'), []);
  t.same(superdomainsOf('org'), []);
  const dns = answering({ 'pop3.example.org': at('mail.example.org', 110) });
  const found = await locate(
    { ...settings, domain: 'a.b.example.org', srvSuperdomains: true },
    dns,
  );
  t.match(found, [{ host: 'mail.example.org' }]);
});

t.test('without records the name itself, at the port that the mode calls for', async (t) => {
  const rows = [
    [{}, { port: 110, tls: 'stls-if-offered' }],
    [{ tls: 'implicit' }, { port: 995, tls: 'implicit' }],
    [{ tls: 'stls' }, { port: 110, tls: 'required-stls' }],
    [{ tls: 'off' }, { port: 110, tls: 'off' }],
    [{ port: 995 }, { port: 995, tls: 'implicit' }],
    [
      { port: 995, tls: 'off' },
      { port: 995, tls: 'off' },
    ],
  ] as const;
  for (const [change, expected] of rows) {
    t.match(await locate({ ...settings, ...change }, answering({})), [
      { host: 'example.org', ...expected },
    ]);
  }
});

t.test('a service that is not offered is refused', async (t) => {
  const dns = answering({
    'pop3s.example.org': { kind: 'not-offered' },
    'pop3.example.org': { kind: 'not-offered' },
  });
  await t.rejects(locate(settings, dns), {
    constructor: Refused,
    message: /no POP3|no SRV|--byip/,
  });
  await t.rejects(locate({ ...settings, implicit: false }, answering({})), {
    constructor: Refused,
    message: /no POP3|no SRV|--byip/,
  });
});

t.test('addresses and localhost are not looked up in SRV', async (t) => {
  const dns = answering({});
  for (const domain of ['192.0.2.1', '2001:db8::1', 'localhost', 'mail.localhost.']) {
    t.match(await locate({ ...settings, domain }, dns), [{ host: domain }]);
  }
  t.same(dns.asked, []);
});

t.test('--byip takes addresses with ";" between them, and nothing else', async (t) => {
  const byAddress = (domain: string): LocationSettings => ({
    ...settings,
    domain,
    byAddress: true,
  });
  const found = await locate(byAddress('192.0.2.1; 2001:db8::1;'), answering({}));
  t.match(found, [{ host: '192.0.2.1' }, { host: '2001:db8::1' }]);
  await t.rejects(locate(byAddress('mail.example.org'), answering({})), {
    constructor: Refused,
    message: /no POP3|no SRV|--byip/,
  });
  await t.rejects(locate(byAddress(';'), answering({})), {
    constructor: Refused,
    message: /no POP3|no SRV|--byip/,
  });
});
