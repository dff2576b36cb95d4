// Counters as text for Prometheus, in the form that node_exporter's textfile collector reads. Pure.

/** Totals since the start, and what is going on now. */
export interface Counters {
  readonly accepted: number;
  readonly served: number;
  readonly denied: number;
  readonly refused: number;
  readonly failed: number;
  /** Sessions that had to give way before they logged in. */
  readonly evicted: number;
  /** As sessions reported them. */
  readonly logins: number;
  readonly failedLogins: number;
  readonly running: number;
  readonly held: number;
}

/** The service that was counted. */
export interface CountedService {
  /** Where it listens; tells services apart whose files are collected together. */
  readonly places: readonly { readonly address: string; readonly port: number }[];
  /** When it was started, seconds since 1970. */
  readonly startedSeconds: number;
}

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: number;
}

/** A HELP, a TYPE and a value line for each counter. Those named `_total` count from the start. */
export function formatMetrics(counters: Counters, service: CountedService): string {
  const listen = service.places
    .map(({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`)
    .join(' ');
  const labels = `{listen="${listen}"}`;
  return metricsOf(counters, service)
    .map(({ name, type, help, value }) => {
      const metric = `tcpsrun_${name}`;
      return `# HELP ${metric} ${help}\n# TYPE ${metric} ${type}\n${metric}${labels} ${value}\n`;
    })
    .join('');
}

function metricsOf(counters: Counters, service: CountedService): readonly Metric[] {
  const { accepted, served, denied, refused, failed, evicted, logins, failedLogins } = counters;
  return [
    total('connections_accepted_total', 'Connections accepted.', accepted),
    total('connections_served_total', 'Connections for which a program was found.', served),
    total('connections_denied_total', 'Connections closed because of the access rules.', denied),
    total('connections_refused_total', 'Connections closed for lack of room.', refused),
    total('connections_failed_total', 'Connections closed for lack of a program.', failed),
    total('sessions_evicted_total', 'Sessions that gave way before they logged in.', evicted),
    total('logins_total', 'Logins that sessions told of.', logins),
    total('failed_logins_total', 'Failed logins that sessions told of.', failedLogins),
    gauge('sessions_running', 'Connections being served.', counters.running),
    gauge('connections_held', 'Connections that wait to be served.', counters.held),
    gauge(
      'start_time_seconds',
      'When the service was started, seconds since 1970.',
      service.startedSeconds,
    ),
  ];
}

function total(name: string, help: string, value: number): Metric {
  return { name, type: 'counter', help, value };
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, type: 'gauge', help, value };
}
