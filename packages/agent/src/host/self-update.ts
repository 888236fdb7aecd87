/**
 * SelfUpdate: the agent of a host becomes the one that its server has. What it is offered is signed by the server's own key and comes with
 * checksums; the new one is on trial until it has connected, and what it replaced stays beside it until then (see trial.sh, which the
 * node command's script writes: it runs before each start, so that it needs nothing of an agent that does not start).
 */
import { execFile } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { anySignal, compareVersions, type Log, messageOf, sleep, withSignal } from '@drover/base';
import { type AgentOffer, offerText } from '@drover/engine';
import { getText } from '../get-text.ts';
import { agentVersion } from '../version.ts';
import type { HostProof } from './host-proof.ts';

export interface UpdateContext {
  /** `…/current/drover-agent`. */
  readonly program: string;
  readonly proof: () => HostProof;
  /** Resolves while nothing is being done on this host. */
  readonly idle: () => Promise<void>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const run = promisify(execFile);
const unit = 'drover-node-agent.service';
const installMs = 1_800_000;
/** Then it is tried again with the next offer. */
const longestWorkMs = 3600_000;
const refusedForMs = 6 * 3600_000;
/** Longer than trial.sh waits: then it puts back what was there. */
const trialSeconds = 270;
const maxScriptBytes = 1 << 18;

export function isVouched(offer: AgentOffer, serverKey: string): boolean {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: serverKey }, format: 'jwk' });
  return verify(null, Buffer.from(offerText(offer)), key, Buffer.from(offer.signature, 'base64url'));
}

export class SelfUpdate {
  readonly #context: UpdateContext;
  readonly #base: string;
  #updating = false;

  constructor(context: UpdateContext) {
    this.#context = context;
    this.#base = dirname(dirname(context.program));
  }

  /** Takes the offer up some time soon, where it is another agent than this. */
  consider(offer: AgentOffer | undefined): void {
    if (!offer || this.#updating) return;
    const { log, signal } = this.#context;
    this.#updating = true;
    this.#take(offer)
      .catch(error => {
        if (!signal.aborted) log.warn({ reason: messageOf(error) }, 'the agent could not be brought up to date');
      })
      .finally(() => {
        this.#updating = false;
      });
  }

  /** This agent has connected: it stays. */
  async confirm(): Promise<void> {
    const before = await this.#link('previous');
    if (before === undefined) return;
    const current = await this.#link('current');
    for (const name of ['previous', 'tries', 'refused']) await rm(join(this.#base, name), { force: true });
    for (const entry of await readdir(this.#base, { withFileTypes: true }))
      if (entry.isDirectory() && entry.name !== current)
        await rm(join(this.#base, entry.name), { recursive: true, force: true });
    this.#context.log.info({ before, now: current }, 'the agent was brought up to date');
  }

  async #take(offer: AgentOffer): Promise<void> {
    const { proof, idle, log, signal } = this.#context;
    const id = offer.ids[process.arch === 'x64' ? 'amd64' : process.arch];
    if (id === undefined || !/^[0-9a-f]{12}$/.test(id) || !(await this.#isWanted(id, offer))) return;
    const { config, ca } = proof();
    if (!isVouched(offer, config.serverKey)) throw new Error('what was offered is not signed by the server');
    await sleep(Math.random() * Math.min(offer.withinSeconds, 3600) * 1000, signal);
    log.info({ id, version: offer.version }, 'the server has another agent: it is fetched');
    const tls = ca === undefined ? {} : { ca };
    const url = `${config.server}/v3/connect/host/install.sh`;
    const { status, body } = await getText(url, { tls, maxBytes: maxScriptBytes, signal });
    const sum = createHash('sha256').update(body).digest('hex');
    if (status !== 200 || sum !== offer.script) throw new Error('the script that installs it is another one by now');
    await this.#unpack(body, config);
    if (!existsSync(join(this.#base, id, '.complete'))) throw new Error('the script did not bring what was offered');
    // What runs on this host for the server would end with this agent.
    await withSignal(idle(), anySignal(signal, AbortSignal.timeout(longestWorkMs)));
    await this.#exchange(id);
  }

  async #isWanted(id: string, { version }: AgentOffer): Promise<boolean> {
    const current = await this.#link('current');
    if (current === undefined || current === id || compareVersions(version, agentVersion) < 0) return false;
    // This one has not yet shown what it can.
    if ((await this.#link('previous')) !== undefined) return false;
    const refused = join(this.#base, 'refused');
    const text = await readFile(refused, 'utf8').catch(() => '');
    return text.trim() !== id || Date.now() - (await stat(refused)).mtimeMs > refusedForMs;
  }

  async #unpack(script: string, { server, caChecksum }: HostProof['config']): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), 'drover-agent-'));
    try {
      await writeFile(join(dir, 'install.sh'), script, { mode: 0o600 });
      const pin = caChecksum === undefined ? [] : ['--ca-checksum', caChecksum];
      const args = [join(dir, 'install.sh'), '--update', '--server', server, ...pin];
      await run('sh', args, { timeout: installMs, signal: this.#context.signal });
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  async #exchange(id: string): Promise<void> {
    const before = await readlink(join(this.#base, 'current'));
    await rm(join(this.#base, 'tries'), { force: true });
    await this.#point('previous', before);
    await this.#point('current', id);
    const later = `[ ! -L ${this.#base}/previous ] || systemctl restart ${unit}`;
    await run('systemd-run', ['--quiet', '--collect', `--on-active=${trialSeconds}`, 'sh', '-c', later]);
    await run('systemctl', ['restart', '--no-block', unit]);
  }

  async #point(name: string, to: string): Promise<void> {
    const path = join(this.#base, name);
    await rm(`${path}.new`, { force: true });
    await symlink(to, `${path}.new`);
    await rename(`${path}.new`, path);
  }

  #link(name: string): Promise<string | undefined> {
    return readlink(join(this.#base, name)).catch(() => undefined);
  }
}
