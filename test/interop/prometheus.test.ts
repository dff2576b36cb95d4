// tcpsrun --metrics, read by the real collector: node_exporter's textfile collector, and checked by promtool.

import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { poll } from '../support/suite/deadline.js';
import { expectProgram, unlessInstalled } from '../support/peers/debian.js';
import { freePort } from '../support/suite/free-port.js';
import { startCommand } from '../support/programs/run-program.js';
import { counters, shellRunFile, startTcpsrun } from '../support/programs/tcpsrun-fixture.js';
import { testFolder } from '../support/suite/test-folder.js';

const runFile = shellRunFile('echo login >&%5; echo hello');

/** What a server on this machine answers, or undefined while it does not. */
function fetchText(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/metrics' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => (text += more));
      response.on('end', () => {
        resolve(response.statusCode === 200 ? text : undefined);
      });
    }).on('error', () => {
      resolve(undefined);
    });
  });
}

/** @returns the metrics that it collected from the folder, by name and labels */
async function collect(t: Test, folder: string): Promise<Map<string, number>> {
  const port = await freePort();
  startCommand(t, expectProgram('prometheus-node-exporter'), [
    ...['--collector.disable-defaults', '--collector.textfile'],
    ...[`--collector.textfile.directory=${folder}`, `--web.listen-address=127.0.0.1:${port}`],
  ]);
  const text = await poll('the collector to answer', () => fetchText(port));
  return new Map(
    [...text.matchAll(/^([a-z_]+(?:\{.*\})?) (\S+)$/gm)].map(([, name = '', value]) => [
      name,
      Number(value),
    ]),
  );
}

t.test(
  'node_exporter collects the counters of two services from one folder',
  { skip: unlessInstalled('prometheus-node-exporter') },
  async (t) => {
    const options = ['--metrics', 'tcpsrun.prom'];
    const tcpsrun = await startTcpsrun(t, { runFile, options });
    for (let count = 0; count < 3; count += 1) await tcpsrun.connect().end();
    await poll('the logins to be counted', async () => {
      const { logins, running } = await counters(tcpsrun);
      return logins === 3 && running === 0 ? true : undefined;
    });
    // Another service of the same machine.
    const file = readFileSync(join(tcpsrun.directory, 'tcpsrun.prom'), 'utf8');
    const service = `127.0.0.1:${tcpsrun.port}`;
    writeFileSync(join(tcpsrun.directory, 'pop3s.prom'), file.replaceAll(service, '[::]:995'));
    const metrics = await collect(t, tcpsrun.directory);
    t.equal(metrics.get('node_textfile_scrape_error'), 0);
    for (const listen of [service, '[::]:995']) {
      for (const [name, value] of Object.entries({
        connections_accepted_total: 3,
        connections_served_total: 3,
        connections_failed_total: 0,
        logins_total: 3,
        sessions_running: 0,
      })) {
        t.equal(metrics.get(`tcpsrun_${name}{listen="${listen}"}`), value, `${listen} ${name}`);
      }
    }
  },
);

t.test(
  'node_exporter would say so if the file were none of Prometheus’',
  { skip: unlessInstalled('prometheus-node-exporter') },
  async (t) => {
    const folder = testFolder(t, { 'x.prom': 'tcpsrun_logins_total{listen=127.0.0.1:1} 3\n' });
    t.equal((await collect(t, folder)).get('node_textfile_scrape_error'), 1);
  },
);

t.test('promtool finds nothing to blame', { skip: unlessInstalled('promtool') }, async (t) => {
  const tcpsrun = await startTcpsrun(t, { runFile, options: ['--metrics', 'tcpsrun.prom'] });
  await counters(tcpsrun);
  const text = readFileSync(join(tcpsrun.directory, 'tcpsrun.prom'), 'utf8');
  const check = async (input: string) =>
    startCommand(t, expectProgram('promtool'), ['check', 'metrics']).finish(input);
  const { status, stdout, stderr } = await check(text);
  t.equal(status, 0, stderr);
  t.equal(`${stdout.toString()}${stderr}`, '');
  t.not((await check(text.replace(/^# HELP.*\n/gm, ''))).status, 0, 'it would without the help');
});
