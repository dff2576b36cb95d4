// Reads the text format that Prometheus' collectors read, strictly: what a collector might still take is refused too.

export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const group =
  /^# HELP (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<help>[^\n]+)\n# TYPE (?<typed>\S+) (?<type>counter|gauge)\n(?<sample>[a-zA-Z0-9_:]+)(?:\{(?<labels>[^\n]*)\})? (?<value>[0-9]+(?:\.[0-9]+)?)\n/;
const label = /^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?<value>[^"\\\n]*)"$/;

/** @throws Error at what is not HELP, TYPE and one value, of one name, and at a name that comes again */
export function readMetrics(text: string): readonly Metric[] {
  const metrics: Metric[] = [];
  for (let rest = text; rest !== '';) {
    const match = group.exec(rest);
    const { name = '', typed, type = '', sample, labels = '', value } = match?.groups ?? {};
    if (match === null || typed !== name || sample !== name) throw new Error(`no metric: ${rest}`);
    if (metrics.some((other) => other.name === name)) throw new Error(`twice: ${name}`);
    metrics.push({ name, type, labels: readLabels(labels), value: Number(value) });
    rest = rest.slice(match[0].length);
  }
  return metrics;
}

function readLabels(text: string): Record<string, string> {
  const pairs = text === '' ? [] : text.split(',');
  return Object.fromEntries(
    pairs.map((pair) => {
      const { name, value } = label.exec(pair)?.groups ?? {};
      if (name === undefined || value === undefined) throw new Error(`no label: ${pair}`);
      return [name, value];
    }),
  );
}
