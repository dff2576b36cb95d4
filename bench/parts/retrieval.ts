// RETR: of large messages in MB/s and of many small ones a second, one by one and pipelined, from files with LF and with
// CRLF, in the clear and in TLS; and how both grow.

import { chownSync } from 'node:fs';
import { makeCertificate } from '../../test/support/accounts/certificate.js';
import type { Figures } from '../load.js';
import { Mailstore } from '../mailstore.js';
import { type Bench, type Findings, type Part } from '../part.js';
import { inRounds, median } from '../rounds.js';
import { available, startServers, type Server, type ServerName } from '../servers.js';
import { owner } from '../site.js';
import { retrievalCases, type RetrievalCase } from './retrieval-cases.js';
import { retrievalFindings, type RetrievalRow } from './retrieval-findings.js';

const rounds = { full: 3, quick: 1 } as const;

const names = available('kept', 'tuned', 'shipped');

async function run({ load, scale, t }: Bench): Promise<Findings> {
  const cases = retrievalCases(scale).filter(({ security }) => load.hasTls || security === 'clear');
  const store = new Mailstore(t);
  for (const { user, contents } of new Map(cases.map((each) => [each.user, each])).values()) {
    store.addUser(user, contents);
  }
  const tls = makeCertificate(store.folder);
  chownSync(tls.key, owner.uid, owner.gid);
  const servers = await startServers(t, names, {
    ...(await store.site()),
    tls,
    // With more of them, the one that is measured might not be the one that is warm.
    workers: 1,
  });

  const rows: RetrievalRow[] = [];
  for (const each of cases) {
    const figures = await inRounds(rounds[scale] + 1, contenders(servers, each), ({ port }) =>
      load.run(t, {
        ...{ port, user: `${each.user}@example.org`, commands: ['STAT', 'RETR*'] },
        ...{ sessions: each.sessions, window: each.window, security: each.security },
      }),
    );
    const perSecond = new Map<ServerName, number>();
    for (const [{ name }, [, ...measured]] of figures) {
      // The first time opened the maildrop and warmed all up.
      perSecond.set(name, median(measured.map((figure) => speed(each, figure))));
    }
    rows.push({ retrieval: each, perSecond });
  }
  const findings = retrievalFindings(rows, rounds[scale]);
  if (load.hasTls) return findings;
  return { ...findings, notes: [...findings.notes, 'No TLS: libssl’s headers are not installed.'] };
}

/** Dovecot as shipped retrieves as it does when tuned; it is there where a goal is. */
function contenders(servers: readonly Server[], { goal }: RetrievalCase): readonly Server[] {
  return servers.filter(({ name }) => name !== 'shipped' || goal !== undefined);
}

function speed({ unit }: RetrievalCase, figures: Figures): number {
  const amount = unit === 'MB/s' ? figures.retrMegabytes : figures.retrMessages;
  return amount / figures.retrSeconds;
}

export const retrieval: Part = { name: 'retrieval', title: 'Retrieving messages', run };
