/**
 * The node of the local cluster of `drover up`: whether this machine can have one, what it is made of, and its running beside the control
 * plane, which is there without it. What it lacks is said in one line.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { aborted, backoffMs, compareVersions, type Log, messageOf, sleep, unavailable } from '@drover/base';
import {
  type Addresses,
  type Bundle,
  buildBundle,
  clearLocalNode,
  defaultBundleDir,
  holdLock,
  type LocalCluster,
  openBundle,
  platformName,
  startLocalNode,
  takeAddresses,
  whyNoNode,
} from '@drover/engine';
import { findBundles, versionOf } from '../provisioning/bundles.ts';

export interface NodeOptions {
  /** Of the local cluster. */
  readonly dir: string;
  readonly bundleDirs: readonly string[];
  readonly say: (line: string) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const stateOf = (dir: string): string => join(dir, 'node');

export interface NodePlace extends AsyncDisposable {
  readonly addresses: Addresses;
}

/**
 * Clears away what a killed run left and takes addresses for a node, which the control plane has to know; held until disposed. Undefined
 * where there can be none, which is said.
 */
export async function prepareNode({ dir, say, log }: NodeOptions): Promise<NodePlace | undefined> {
  const stateDir = stateOf(dir);
  try {
    const reason = await whyNoNode();
    if (reason !== undefined) throw unavailable(reason);
    await using undo = new AsyncDisposableStack();
    undo.use(await holdLock(join(stateDir, 'lock'), { orFail: `the node in ${stateDir} is run by another process` }));
    await clearLocalNode(stateDir, log);
    undo.defer(() => clearLocalNode(stateDir, log));
    const addresses = await takeAddresses(stateDir);
    const held = undo.move();
    return { addresses, [Symbol.asyncDispose]: () => held.disposeAsync() };
  } catch (error) {
    log.debug({ err: error }, 'no node');
    say(`local: control plane only, because ${messageOf(error)}`);
    return undefined;
  }
}

/** For a start without a node: what one that was killed has left goes all the same. */
export async function clearNode({ dir, log }: Pick<NodeOptions, 'dir' | 'log'>): Promise<void> {
  const stateDir = stateOf(dir);
  if (process.getuid?.() !== 0 || !existsSync(stateDir)) return;
  try {
    await using _ = await holdLock(join(stateDir, 'lock'), {
      orFail: `the node in ${stateDir} is run by another process`,
    });
    await clearLocalNode(stateDir, log);
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'what an earlier node left was not cleared away');
  }
}

/** Keeps a node running until the signal aborts; resolves when it has ended. */
export async function runNode(
  { dir, bundleDirs, say, log, signal }: NodeOptions,
  { cluster, addresses }: { readonly cluster: LocalCluster; readonly addresses: Addresses },
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const bundle = await findBundle({ bundleDirs, say, signal, version: cluster.version });
      const places = { stateDir: stateOf(dir), imagesDir: join(dir, 'images') };
      await using node = await startLocalNode({ ...places, cluster, addresses, bundle, log, signal });
      failures = 0;
      say(`local: ${node.name} is ready, its pods have addresses in ${addresses.podCidr}`);
      const ending = await Promise.race([node.ended, aborted(signal)]);
      if (ending) throw unavailable(`the node ended with ${ending}`);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error }, 'the local node does not run');
      say(`local: control plane only, because ${messageOf(error).split('\n')[0]}`);
      await sleep(backoffMs(failures, { minMs: 10_000, maxMs: 300_000 }), signal).catch(() => undefined);
    }
  }
}

interface BundleWish {
  readonly bundleDirs: readonly string[];
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** The control plane's: a kubelet is never newer. */
  readonly version: string;
}

/** The newest bundle for this machine that goes with the control plane; made where there is none, while that is in use. */
async function findBundle({ bundleDirs, say, signal, version }: BundleWish): Promise<Bundle> {
  const fits = (bundle: Bundle) =>
    bundle.manifest.platform === platformName().name && compareVersions(versionOf(bundle), version) <= 0;
  const found = (await findBundles(bundleDirs)).find(fits);
  if (found) return found;
  const dir = defaultBundleDir();
  say('local: no bundle of a node is here yet, so one is made; the control plane is in use meanwhile');
  await buildBundle(dir, { onProgress: step => say(`local: node: ${step}`), signal });
  const made = await openBundle(dir);
  if (fits(made)) return made;
  throw unavailable(`its kubelet would be ${versionOf(made)}, newer than the control plane (${version})`);
}
