// What `npm audit --json` came to. Pure.

export interface AuditVerdict {
  /** `unanswered`: the registry takes no such question, which says nothing about the packages. */
  readonly verdict: 'clean' | 'vulnerable' | 'unanswered';
  /** For people; one line each. */
  readonly lines: readonly string[];
}

interface AuditReport {
  readonly message?: string;
  readonly error?: { readonly summary?: string };
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
  readonly metadata?: { readonly dependencies?: { readonly total?: number } };
}

interface Vulnerability {
  readonly severity: string;
  readonly range: string;
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

/** @param json what npm printed. @throws Error when it is neither a report nor the registry's refusal */
export function judgeAudit(json: string): AuditVerdict {
  const { message, error, vulnerabilities, metadata } = JSON.parse(json) as AuditReport;
  // Only a request that failed has a message beside its error.
  if (message !== undefined) {
    return { verdict: 'unanswered', lines: [`npm audit: not answered: ${message}`] };
  }
  if (vulnerabilities === undefined) {
    throw new Error(`npm audit: ${error?.summary ?? 'neither a report nor an error'}`);
  }
  const found = Object.entries(vulnerabilities);
  if (found.length === 0) {
    const total = metadata?.dependencies?.total ?? 0;
    return { verdict: 'clean', lines: [`npm audit: nothing known against ${total} packages`] };
  }
  return {
    verdict: 'vulnerable',
    lines: found.map(([name, { severity, range, via }]) => {
      const why = via.map((each) =>
        typeof each === 'string' ? each : `${each.title} ${each.url}`,
      );
      return `npm audit: ${name} ${range}: ${severity}: ${why.join('; ')}`;
    }),
  };
}
