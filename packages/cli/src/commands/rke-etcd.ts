/** rke etcd snapshot-save, snapshot-restore: the objects of a cluster, kept outside of it and brought back. */
import { dirname, join, resolve } from 'node:path';
import { invalid } from '@drover/base';
import { readState, restoreSnapshot, type StepEvent, saveSnapshot, writeState } from '@drover/engine';
import { say } from '../messages.ts';
import { chooseBundle, connectTo, filesOf, type RkeFlags, readConfig, teller, up } from './rke.ts';

export interface SnapshotFlags extends RkeFlags {
  readonly name?: string;
  /** Where a copy goes on this machine; false: none. */
  readonly copy?: string | false;
  readonly from?: string;
}

/** Makes one on every host with a member, and a copy beside the config. */
export async function save(flags: SnapshotFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files);
  const state = await readState(files.state, spec);
  const hostKeys = { ...state?.hostKeys };
  const told = teller(flags);
  const name = flags.name ?? `rke_etcd_snapshot_${new Date().toISOString().replace(/\.\d+Z$/, 'Z')}`;
  const copyTo = flags.copy === false ? undefined : resolve(flags.copy ?? join(dirname(files.config), 'snapshots'));
  await saveSnapshot({
    spec,
    name,
    copyTo,
    connect: node => connectTo(node, { spec, hostKeys, flags }),
    onDone: (host, bytes) => told.event(doneOn(host, `snapshot of ${(bytes / 1e6).toFixed(1)} MB`)),
  });
  if (copyTo !== undefined) {
    // Without the keys in it the objects of the snapshot are of no use.
    if (state) await writeState(join(copyTo, `${name}.rkestate`), spec, state);
    told.end(say('rkeSnapshot', { path: join(copyTo, `${name}.db`) }));
  }
}

/** Puts one in place, then brings the cluster up. */
export async function restore(flags: SnapshotFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files);
  const from = flags.from === undefined ? undefined : resolve(flags.from);
  // With the hosts the folder of the config may be lost, too: the state that was copied along counts then.
  const state =
    (await readState(files.state, spec)) ??
    (from === undefined ? undefined : await readState(from.replace(/\.db$/, '.rkestate'), spec));
  if (!state) throw invalid('--from', say('rkeNoState', { path: files.state }));
  const hostKeys = { ...state.hostKeys };
  const bundle = await chooseBundle(flags, spec);
  const told = teller(flags);
  await restoreSnapshot({
    spec,
    bundle,
    name: flags.name ?? (from ?? '').replace(/^.*\//, '').replace(/\.db$/, ''),
    from,
    authority: state.certificates['kube-ca']!.cert,
    connect: node => connectTo(node, { spec, hostKeys, flags }),
    onStep: (host, title) => told.event(doneOn(host, title)),
  });
  await writeState(files.state, spec, { ...state, etcdFormed: true, hostKeys });
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
