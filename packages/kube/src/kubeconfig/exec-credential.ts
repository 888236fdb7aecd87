/**
 * Credentials from a plugin that a kubeconfig names (client.authentication.k8s.io): run when there is none yet, when
 * the last has expired, and when the server answered 401. Its output is a secret and never told.
 */
import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { invalid, Secret, type StatusError, timedOut, unavailable } from '@drover/base';
import type { ClientIdentity } from '../connection.ts';
import type { ExecEntry } from './kubeconfig.ts';

const apiVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const maxOutputBytes = 1 << 20;
const timeoutMs = 60_000;
/** Renewed this long before it ends, so that none expires on its way. */
const marginMs = 10_000;

export interface ExecOptions {
  /** Names the plugin in messages: file and user. */
  readonly source: string;
  /** `spec.cluster` for plugins that ask for it. */
  readonly cluster?: unknown;
  /** Whether somebody sits at a terminal; default: whether stdin is one. */
  readonly interactive?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly now?: () => number;
}

export interface Credential {
  readonly token?: Secret;
  readonly identity?: ClientIdentity;
  readonly expiresAt?: number;
}

/** Checks the entry at once, so that a bad kubeconfig is told when it is read. Throws Invalid naming the field. */
export function execCredentials(entry: ExecEntry, options: ExecOptions): ExecCredentials {
  const { source } = options;
  const { apiVersion, command, interactiveMode = 'IfAvailable' } = entry;
  if (!command) throw invalid(`${source}: exec.command`, 'must be the program that gives credentials');
  if (!apiVersions.includes(apiVersion ?? '')) {
    throw invalid(`${source}: exec.apiVersion`, `must be ${apiVersions.join(' or ')}`);
  }
  if (!['Never', 'IfAvailable', 'Always'].includes(interactiveMode)) {
    throw invalid(`${source}: exec.interactiveMode`, 'must be Never, IfAvailable or Always');
  }
  return new ExecCredentials({ ...entry, command }, options);
}

/** The credentials of one plugin, kept until they expire; many who ask at once run it once. */
export class ExecCredentials {
  readonly #entry: ExecEntry & { command: string };
  readonly #options: ExecOptions;
  #current: Credential | undefined;
  #running: Promise<Credential> | undefined;

  constructor(entry: ExecEntry & { command: string }, options: ExecOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  async get({ rejected }: { readonly rejected?: Secret } = {}): Promise<Credential> {
    const { now = Date.now } = this.#options;
    const current = this.#current;
    const spent =
      !current ||
      (rejected !== undefined && current.token?.reveal() === rejected.reveal()) ||
      (current.expiresAt !== undefined && now() >= current.expiresAt - marginMs);
    if (!spent) return current;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    this.#current = await this.#running;
    return this.#current;
  }

  async #run(): Promise<Credential> {
    const { apiVersion, interactiveMode, provideClusterInfo } = this.#entry;
    const { cluster, source } = this.#options;
    const terminal = this.#options.interactive ?? process.stdin.isTTY === true;
    if (interactiveMode === 'Always' && !terminal) {
      throw invalid(`${source}: exec.command`, `${this.#entry.command} has to ask something, and there is no terminal`);
    }
    const interactive = terminal && interactiveMode !== 'Never';
    const spec = { interactive, ...(provideClusterInfo ? { cluster } : {}) };
    const output = await this.#spawn(JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }), interactive);
    return parseCredential(output, apiVersion!, source);
  }

  #spawn(info: string, interactive: boolean): Promise<string> {
    const { command, args, env } = this.#entry;
    const { source, env: base = process.env } = this.#options;
    const more = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    return new Promise((resolve, reject) => {
      const child = spawn(command, [...(args ?? [])], {
        env: { ...base, ...more, KUBERNETES_EXEC_INFO: info },
        stdio: [interactive ? 'inherit' : 'ignore', 'pipe', interactive ? 'inherit' : 'pipe'],
      });
      const output: Buffer[] = [];
      let bytes = 0;
      let complaint = '';
      const fail = (error: StatusError) => {
        clearTimeout(timer);
        child.kill('SIGKILL');
        // What the plugin started may live on and write on: it gets nobody to write to.
        child.stdout?.destroy();
        child.stderr?.destroy();
        reject(error);
      };
      // Somebody at a terminal may need longer to sign in than a program may take.
      const late = () => fail(timedOut(`${source}: the plugin ${command} gave nothing within ${timeoutMs / 1000} s`));
      const timer = interactive ? undefined : setTimeout(late, timeoutMs);
      child.stdout?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxOutputBytes) fail(unavailable(`${source}: the plugin ${command} writes more than a credential`));
        else output.push(chunk);
      });
      child.stderr?.on('data', (chunk: Buffer) => {
        complaint = (complaint + chunk.toString('utf8')).slice(-2000);
      });
      child.on('error', error => fail(this.#cannotStart(error as NodeJS.ErrnoException)));
      child.on('close', code => {
        clearTimeout(timer);
        if (code === 0) return resolve(Buffer.concat(output).toString('utf8'));
        const said = complaint.trim();
        reject(unavailable(`${source}: the plugin ${command} ended with ${code}${said ? `: ${said}` : ''}`));
      });
    });
  }

  #cannotStart(error: NodeJS.ErrnoException): StatusError {
    const { command, installHint } = this.#entry;
    const hint = installHint ? `. ${installHint.trim()}` : '';
    const path = (this.#options.env ?? process.env)['PATH']?.split(delimiter).join(', ');
    const why =
      error.code === 'ENOENT'
        ? `is not installed${command.includes('/') ? '' : ` in any of ${path}`}`
        : error.code === 'EACCES'
          ? 'may not be run'
          : `can't be run: ${error.message}`;
    return unavailable(`${this.#options.source}: the plugin ${command} ${why}${hint}`, { cause: error });
  }
}

/** Reads an ExecCredential. Throws ServiceUnavailable saying what it lacks, never what it holds. */
function parseCredential(output: string, apiVersion: string, source: string): Credential {
  const bad = (what: string) => unavailable(`${source}: the plugin's answer ${what}`);
  let parsed: {
    kind?: unknown;
    apiVersion?: unknown;
    status?: {
      token?: unknown;
      clientCertificateData?: unknown;
      clientKeyData?: unknown;
      expirationTimestamp?: unknown;
    } | null;
  };
  try {
    parsed = JSON.parse(output);
  } catch {
    throw bad('is not JSON');
  }
  if (parsed?.kind !== 'ExecCredential') throw bad('is no ExecCredential');
  if (parsed.apiVersion !== apiVersion) throw bad(`must have apiVersion ${apiVersion}, as the kubeconfig says`);
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp: expiry } = parsed.status ?? {};
  if ((cert === undefined) !== (key === undefined))
    throw bad('has only one of clientCertificateData and clientKeyData');
  if (!token && !cert) throw bad('has no credential: it needs status.token or status.clientCertificateData');
  const expiresAt = expiry ? Date.parse(String(expiry)) : undefined;
  if (Number.isNaN(expiresAt)) throw bad('has an expirationTimestamp that is no RFC 3339 time');
  return {
    token: token ? new Secret(String(token)) : undefined,
    identity: cert ? { cert: String(cert), key: new Secret(String(key)) } : undefined,
    expiresAt,
  };
}
