/** rke etcd snapshot-save, -list, -delete, -restore: the objects of a cluster, kept outside of it and brought back. */
import { dirname, join, resolve } from 'node:path';
import { invalid } from '@drover/base';
import {
  type ClusterSpec,
  fetchSnapshotState,
  formatState,
  type KeptState,
  listSnapshots,
  parseState,
  readState,
  removeSnapshot,
  restoreSnapshot,
  type SavedSnapshot,
  type StepEvent,
  saveSnapshot,
  writeState,
} from '@drover/engine';
import { say } from '../messages.ts';
import { parseFormat, printList } from '../output.ts';
import { chooseBundle, connectTo, filesOf, type RkeFlags, readConfig, teller, up, warn } from './rke.ts';
import { placeOf, type S3Flags } from './rke-s3.ts';

export interface SnapshotFlags extends RkeFlags, S3Flags {
  readonly name?: string;
  /** Where a copy goes on this machine; false: none. */
  readonly copy?: string | false;
  readonly from?: string;
  readonly useLocalState?: boolean;
}

/** Makes one on every host with a member, and a copy beside the config or in S3. */
export async function save(flags: SnapshotFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  const s3 = await placeOf(flags, spec);
  const state = await readState(files.state, spec);
  const hostKeys = { ...state?.hostKeys };
  const told = teller(flags);
  const name = flags.name ?? `rke_etcd_snapshot_${new Date().toISOString().replace(/\.\d+Z$/, 'Z')}`;
  const copyTo = flags.copy === false ? undefined : resolve(flags.copy ?? join(dirname(files.config), 'snapshots'));
  await saveSnapshot({
    spec,
    name,
    copyTo,
    s3,
    state: state && formatState(spec, state),
    connect: node => connectTo(node, { spec, hostKeys, flags }),
    onDone: (host, saved) => told.event(doneOn(host, describe(saved))),
    onFailed: (host, message) => warn(`${host}: ${message}`),
  });
  if (s3) told.end(say('rkeSnapshotSent', { name, bucket: s3.bucket, endpoint: s3.endpoint }));
  if (copyTo === undefined) return;
  // Without the keys in it the objects of the snapshot are of no use.
  if (state) await writeState(join(copyTo, `${name}.rkestate`), spec, state);
  told.end(say('rkeSnapshot', { path: join(copyTo, `${name}.db`) }));
}

const describe = ({ bytes, keys }: SavedSnapshot): string =>
  `snapshot of ${(bytes / 1e6).toFixed(1)} MB, verified: ${keys} keys`;

/** Which there are, on the hosts and with --s3 there. */
export async function list(flags: SnapshotFlags): Promise<void> {
  const rows = await listSnapshots(await reachOf(flags));
  await printList(
    rows,
    [
      { title: 'NAME', value: row => row.name },
      { title: 'MADE', value: row => row.made },
      { title: 'MB', value: row => (row.bytes / 1e6).toFixed(1) },
      { title: 'PLACE', value: row => (row.place === 's3' ? 's3' : row.hosts.join(',')) },
    ],
    { format: parseFormat(flags.output), none: say('nothing') },
  );
}

export async function remove(flags: SnapshotFlags): Promise<void> {
  if (!flags.name) throw invalid('--name', say('rkeSnapshotName'));
  await removeSnapshot(flags.name, await reachOf(flags));
}

async function reachOf(flags: SnapshotFlags) {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  const s3 = await placeOf(flags, spec);
  const hostKeys = { ...(await readState(files.state, spec))?.hostKeys };
  return {
    spec,
    s3,
    connect: (node: ClusterSpec['nodes'][number]) => connectTo(node, { spec, hostKeys, flags }),
    onFailed: (host: string, message: string) => warn(`${host}: ${message}`),
  };
}

/** Puts one in place, then brings the cluster up. */
export async function restore(flags: SnapshotFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  const s3 = await placeOf(flags, spec);
  const from = flags.from === undefined ? undefined : resolve(flags.from);
  if (s3 && from !== undefined) throw invalid('--from', say('rkeFromOrS3'));
  const name = flags.name ?? (from ?? '').replace(/^.*\//, '').replace(/\.db$/, '');
  const copied = (from ?? '').replace(/\.db$/, '.rkestate');
  const bundle = await chooseBundle(flags, spec);
  const hostKeys: Record<string, string> = {};
  const connect = (node: ClusterSpec['nodes'][number]) => connectTo(node, { spec, hostKeys, flags });
  // With the hosts the folder of the config may be lost, too: the state that was copied along counts then.
  const besides = async (): Promise<KeptState | undefined> => {
    if (flags.useLocalState) return undefined;
    if (from !== undefined) return await readState(copied, spec);
    if (!s3) return undefined;
    return parseState(await fetchSnapshotState(name, { spec, bundle, s3, connect }), spec, `${name}.rkestate`);
  };
  const state = (await readState(files.state, spec)) ?? (await besides());
  if (!state) throw invalid('--from', say('rkeNoState', { path: files.state }));
  Object.assign(hostKeys, { ...state.hostKeys, ...hostKeys });
  const told = teller(flags);
  await restoreSnapshot({
    spec,
    bundle,
    name,
    from,
    s3,
    state,
    madeUnder: from === undefined ? undefined : (await readState(copied, spec))?.version,
    saveState: next => writeState(files.state, spec, { ...next, hostKeys }),
    connect,
    onStep: (host, title) => told.event(doneOn(host, title)),
  });
  await up(flags);
}

function doneOn(host: string, title: string): StepEvent {
  return {
    state: 'done',
    stage: 'snapshot',
    step: `snapshot/${host}/${title}`,
    title,
    host,
    at: new Date().toISOString(),
  };
}
