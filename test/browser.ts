/**
 * A real browser for tests: Chromium without a window, driven over its DevTools pipe. It keeps what a page must not do (errors,
 * violations of its policy, dialogs of scripts), so that a test can say that there was none.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { until } from '@drover/base';

const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where Chromium is, or undefined on a machine without one. */
export const chromium = programs.find(existsSync);

export interface TabOptions {
  readonly language?: string;
  readonly dark?: boolean;
  readonly cookies?: Readonly<Record<string, string>>;
  /** Whose cookies they are. */
  readonly origin?: string;
}

export interface Tab {
  /** What the page should not have done, in words. */
  readonly faults: readonly string[];
  goto(url: string): Promise<void>;
  /** The value of an expression in the page; promises are waited for. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression in the page is true, through changes of page. */
  sees(expression: string): Promise<void>;
}

export interface Browser extends AsyncDisposable {
  open(options?: TabOptions): Promise<Tab>;
}

type Params = Record<string, unknown>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

const messageDeadlineMs = 60_000;

export async function startBrowser(): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'drover-browser-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--ignore-certificate-errors'];
  const child = spawn(chromium!, [...flags, `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const wire = openWire(child);
  return {
    open: options => openTab(wire, options ?? {}),
    async [Symbol.asyncDispose]() {
      const gone = new Promise(resolve => child.once('close', resolve));
      // Its helpers are of its group and would outlive it.
      process.kill(-child.pid!, 'SIGKILL');
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Wire {
  send(method: string, params?: Params, sessionId?: string): Promise<Params>;
  listen(sessionId: string, listener: (method: string, params: Params) => void): void;
}

function openWire(child: ChildProcess): Wire {
  const [, , , to, from] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, PromiseWithResolvers<Params>>();
  const listeners = new Map<string, (method: string, params: Params) => void>();
  let rest = '';
  let last = 0;
  from.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop()!;
    for (const part of parts) take(JSON.parse(part) as Message);
  });
  const end = (): void => {
    for (const { reject } of waiting.values()) reject(new Error('the browser has ended'));
    waiting.clear();
  };
  child.once('close', end);
  child.once('error', end);
  to.on('error', end);
  const take = ({ id, method, params, sessionId, result, error }: Message): void => {
    if (id === undefined) {
      listeners.get(sessionId ?? '')?.(method ?? '', params ?? {});
      return;
    }
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result ?? {});
    waiting.delete(id);
  };
  return {
    send(method, params = {}, sessionId) {
      const answer = Promise.withResolvers<Params>();
      waiting.set(++last, answer);
      to.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
      return answer.promise;
    },
    listen: (sessionId, listener) => void listeners.set(sessionId, listener),
  };
}

async function openTab(wire: Wire, { language = 'en', dark = false, cookies = {}, origin }: TabOptions): Promise<Tab> {
  const { browserContextId } = await wire.send('Target.createBrowserContext');
  const { targetId } = await wire.send('Target.createTarget', { url: 'about:blank', browserContextId });
  const attached = await wire.send('Target.attachToTarget', { targetId, flatten: true });
  const session = attached['sessionId'] as string;
  const send = (method: string, params?: Params) => wire.send(method, params, session);
  const faults: string[] = [];
  let loads = 0;
  wire.listen(session, (method, params) => {
    if (method === 'Page.loadEventFired') loads++;
    const fault = faultOf(method, params);
    if (fault) faults.push(fault);
    if (method === 'Page.javascriptDialogOpening') void send('Page.handleJavaScriptDialog', { accept: false });
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
  await send('Network.setExtraHTTPHeaders', { headers: { 'accept-language': language } });
  await send('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
  });
  for (const [name, value] of Object.entries(cookies))
    await send('Network.setCookie', { name, value, url: origin!, secure: true, httpOnly: true });
  const evaluate = async <T>(expression: string): Promise<T> => {
    const answer = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (answer['exceptionDetails']) throw new Error(`${expression}: ${JSON.stringify(answer['exceptionDetails'])}`);
    return (answer['result'] as { value: T }).value;
  };
  return {
    faults,
    evaluate,
    async goto(url) {
      const before = loads;
      await send('Page.navigate', { url });
      await until(`${url} to load`, () => loads > before, { timeoutMs: messageDeadlineMs });
      // The page before may have been loading still, and what loaded was that one.
      const there = `location.href === ${JSON.stringify(new URL(url).href)} && document.readyState === 'complete'`;
      await until(`${url} to be there`, () => evaluate<boolean>(there).catch(() => false), {
        timeoutMs: messageDeadlineMs,
      });
    },
    async sees(expression) {
      // While a page gives way to the next one, nothing can be asked.
      await until(expression, () => evaluate<boolean>(`Boolean(${expression})`), { timeoutMs: messageDeadlineMs });
    },
  };
}

function faultOf(method: string, params: Params): string | undefined {
  if (method === 'Page.javascriptDialogOpening') return `a dialog: ${params['message']}`;
  if (method === 'Runtime.exceptionThrown') return `an exception: ${JSON.stringify(params['exceptionDetails'])}`;
  const entry = params['entry'] as { source?: string; level?: string; text?: string; url?: string } | undefined;
  if (method !== 'Log.entryAdded' || entry?.level !== 'error') return undefined;
  // An answer of 401 or 422 is what a test may be about.
  return entry.source === 'network' ? undefined : `${entry.source}: ${entry.text}`;
}
