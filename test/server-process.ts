/**
 * A real server for tests: `drover up` as a process of its own with its own data directory and port, and a client of its
 * v3 API that is signed in as the first admin. Ended by pid, whatever happens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@drover/base';
import { Agent, request } from 'undici';

const main = fileURLToPath(new URL('../packages/server/src/main.ts', import.meta.url));
export const adminPassword = 'correct-horse-battery';

export interface ServerOptions {
  /** More flags of `up`; by default no cluster, a free port on loopback and a directory of its own. */
  readonly args?: readonly string[];
  readonly host?: string;
  readonly port?: number;
  readonly dataDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly readyTimeoutMs?: number;
  /** Another server's main, such as a copy with something added. */
  readonly main?: string;
}

export interface V3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the wire as it is and assert on it.
  readonly body: any;
}

export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
  readonly child: ChildProcess;
  readonly readyMs: number;
  /** PEM of the server's own CA. */
  readonly ca: string;
  readonly #ownsDir: boolean;
  readonly #output: string[];
  readonly #agent: Agent;

  constructor(parts: {
    url: string;
    dataDir: string;
    child: ChildProcess;
    readyMs: number;
    ca: string;
    ownsDir: boolean;
    output: string[];
  }) {
    this.url = parts.url;
    this.dataDir = parts.dataDir;
    this.child = parts.child;
    this.readyMs = parts.readyMs;
    this.ca = parts.ca;
    this.#ownsDir = parts.ownsDir;
    this.#output = parts.output;
    this.#agent = new Agent({ connect: { ca: parts.ca } });
  }

  /** All that the process has printed so far. */
  get output(): string {
    return this.#output.join('');
  }

  async fetch(
    method: string,
    path: string,
    options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<V3Answer> {
    const answer = await request(new URL(path, this.url), {
      method: method as 'GET',
      dispatcher: this.#agent,
      headers: {
        ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
    });
    const text = await answer.body.text();
    const isJson = /\bjson\b/.test(String(answer.headers['content-type']));
    return { status: answer.statusCode, headers: answer.headers, body: isJson && text ? JSON.parse(text) : text };
  }

  /** Signs in with the local provider; the token as `name:key`. */
  async login(username = 'admin', password = adminPassword): Promise<string> {
    const body = { username, password, responseType: 'json' };
    const answer = await this.fetch('POST', '/v3-public/localProviders/local?action=login', { body });
    if (answer.status !== 201)
      throw new Error(`sign-in answered ${answer.status}: ${JSON.stringify(answer.body)}\n${this.output.slice(-2000)}`);
    return answer.body.token as string;
  }

  /** Asks with a token and throws for anything but the expected status. */
  async ask(token: string, method: string, path: string, body?: unknown, status = method === 'POST' ? 201 : 200) {
    const answer = await this.fetch(method, path, { token, body });
    if (answer.status !== status)
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Makes a standard user with a password of his own, and signs him in. */
  async makeUser(admin: string, username: string): Promise<{ readonly id: string; readonly token: string }> {
    const password = `${username}-password-1234`;
    const user = await this.ask(admin, 'POST', '/v3/users', { username, password, name: username });
    await this.ask(admin, 'POST', '/v3/globalRoleBindings', { globalRoleId: 'user', userId: user.id });
    return { id: user.id as string, token: await this.login(username, password) };
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill(signal);
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
      await gone;
      clearTimeout(timer);
    }
    await this.#agent.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsDir) await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** Starts it and resolves at its `ready` line; rejects with its output when it ends before. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'drover-test-')));
  const listen = `${options.host ?? '127.0.0.1'}:${options.port ?? 0}`;
  const args = [
    '--data-dir',
    dataDir,
    '--listen',
    listen,
    '--bootstrap-password',
    adminPassword,
    ...(options.args ?? ['--cluster', 'none']),
  ];
  const started = performance.now();
  const child = spawn(process.execPath, [options.main ?? main, ...args], {
    env: { ...process.env, DROVER_LOG_LEVEL: 'info', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  const url = await until(
    'the ready line',
    () => {
      const found = /^ready (https:\/\/\S+)$/m.exec(output.join(''))?.[1];
      if (found || child.exitCode === null) return found;
      throw new Error(`ended with ${child.exitCode}`);
    },
    { timeoutMs: options.readyTimeoutMs ?? 20_000, everyMs: 10 },
  ).catch(async error => {
    child.kill('SIGKILL');
    throw new Error(`the server did not start: ${error.message}\n${output.join('')}`);
  });
  const readyMs = performance.now() - started;
  const ca = await readFile(join(dataDir, 'tls', 'ca.crt'), 'utf8').catch(() => '');
  return new ServerProcess({ url, dataDir, child, readyMs, ca, ownsDir: !options.dataDir, output });
}
