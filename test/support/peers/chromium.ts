// Debian's chromium without a window, driven over WebDriver (https://www.w3.org/TR/webdriver2/) by its chromedriver.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCommand, type Teardown } from '../programs/run-program.js';
import { expectProgram } from './debian.js';

/** WebDriver's name for a reference to an element. */
const elementKey = 'element-6066-11e4-a52e-4f735466cecf';

export class Browser {
  readonly #session: string;

  /** @param session the address of a WebDriver session */
  constructor(session: string) {
    this.#session = session;
  }

  async open(url: string): Promise<void> {
    await call(this.#session, 'POST', '/url', { url });
  }

  async address(): Promise<string> {
    return (await call(this.#session, 'GET', '/url')) as string;
  }

  /** What a person reads on the page. */
  async text(): Promise<string> {
    const script = 'return document.body.innerText';
    return (await call(this.#session, 'POST', '/execute/sync', { script, args: [] })) as string;
  }

  /** @returns whether the page has such an element, which is then typed into */
  async type(selector: string, text: string): Promise<boolean> {
    return this.#with(selector, 'value', { text });
  }

  /** @returns whether the page has such an element, which is then clicked */
  async click(selector: string): Promise<boolean> {
    return this.#with(selector, 'click', {});
  }

  async close(): Promise<void> {
    await call(this.#session, 'DELETE', '');
  }

  async #with(selector: string, command: string, body: object): Promise<boolean> {
    const query = { using: 'css selector', value: selector };
    const found = (await call(this.#session, 'POST', '/elements', query)) as readonly Record<
      string,
      string
    >[];
    const [element] = found;
    if (element === undefined) return false;
    await call(this.#session, 'POST', `/element/${element[elementKey] ?? ''}/${command}`, body);
    return true;
  }
}

export async function startChromium(t: Teardown): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const driver = startCommand(t, expectProgram('chromedriver'), ['--port=0']);
  // It says its port on stdout, which nobody else reads.
  const port = await new Promise<string>((resolve, reject) => {
    let said = '';
    driver.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /started successfully on port ([0-9]+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    driver.ending.then(() => reject(new Error(`chromedriver ended: ${said}`)), reject);
  });
  const base = `http://127.0.0.1:${port}`;
  const args = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ...['--disable-dev-shm-usage', `--user-data-dir=${profile}`],
  ];
  const options = { args, binary: expectProgram('chromium') };
  const alwaysMatch = { browserName: 'chrome', 'goog:chromeOptions': options };
  const created = (await call(base, 'POST', '/session', { capabilities: { alwaysMatch } })) as {
    sessionId: string;
  };
  const browser = new Browser(`${base}/session/${created.sessionId}`);
  t.teardown(async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  });
  return browser;
}

async function call(
  base: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${base}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { value } = (await response.json()) as { value: unknown };
  if (!response.ok) throw new Error(`WebDriver ${method} ${path}: ${JSON.stringify(value)}`);
  return value;
}
