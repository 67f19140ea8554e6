/** A headless Chromium, driven by its DevTools protocol over pipes. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

type Json = Record<string, unknown>;

/** An event of a page. */
export interface PageEvent {
  method: string;
  params: Json;
}

/** A page. */
export interface Page {
  /** Every event since it was opened. */
  events: PageEvent[];
  /** Calls a method of the protocol: https://chromedevtools.github.io/devtools-protocol/ */
  call: (method: string, params?: Json) => Promise<Json>;
  /** Loads a URL, and waits for its load event. */
  open: (url: string) => Promise<void>;
  /** The value of an expression in the page. */
  evaluate: <T>(expression: string) => Promise<T>;
}

/** A browser. */
export interface Browser {
  newPage: (width: number, theme: 'light' | 'dark') => Promise<Page>;
  close: () => Promise<void>;
}

/** Whether Debian's chromium is installed. */
export const hasChromium = (): boolean => spawnSync('chromium', ['--version']).status === 0;

/** Starts it without its sandbox, which root cannot use; the pages are our own. */
export function startChromium(): Browser {
  const profile = mkdtempSync(join(tmpdir(), 'annex-chromium-'));
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  const child = spawn(
    'chromium',
    [...args, '--no-first-run', `--user-data-dir=${profile}`, '--remote-debugging-pipe'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const [, , , input, output] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, (message: Json) => void>();
  const listeners = new Map<string, (event: PageEvent) => void>();
  let id = 0;
  let rest = '';

  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = `${rest}${chunk}`.split('\0');
    rest = messages.pop() ?? '';
    for (const text of messages) {
      const message = JSON.parse(text) as Json;
      if (typeof message.id === 'number') waiting.get(message.id)?.(message);
      else listeners.get(String(message.sessionId))?.(message as unknown as PageEvent);
    }
  });

  const send = async (method: string, params: Json = {}, sessionId?: string): Promise<Json> => {
    id += 1;
    const number = id;
    const answer = new Promise<Json>((resolve, reject) => {
      waiting.set(number, resolve);
      void exited.then(() => reject(new Error(`chromium ended before ${method}`)));
    });
    input.write(`${JSON.stringify({ id: number, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Json;
  };

  const newPage: Browser['newPage'] = async (width, theme) => {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const events: PageEvent[] = [];
    let onLoad = (): void => undefined;
    listeners.set(String(sessionId), (event) => {
      events.push(event);
      if (event.method === 'Page.loadEventFired') onLoad();
    });
    const call: Page['call'] = (method, params) => send(method, params, String(sessionId));
    for (const domain of ['Page', 'Runtime', 'Log', 'Network', 'Accessibility', 'Audits']) {
      await call(`${domain}.enable`);
    }
    const size = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await call('Emulation.setDeviceMetricsOverride', size);
    const features = [{ name: 'prefers-color-scheme', value: theme }];
    await call('Emulation.setEmulatedMedia', { features });
    return {
      events,
      call,
      open: async (url) => {
        const loaded = new Promise<void>((resolve) => {
          onLoad = () => resolve();
        });
        await call('Page.navigate', { url });
        await loaded;
      },
      evaluate: async <T>(expression: string) => {
        const options = { expression, returnByValue: true, awaitPromise: true };
        const { result, exceptionDetails } = await call('Runtime.evaluate', options);
        if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
        return (result as { value: T }).value;
      },
    };
  };

  return {
    newPage,
    close: async () => {
      input.write(`${JSON.stringify({ id: 0, method: 'Browser.close' })}\0`);
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
