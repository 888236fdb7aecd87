/**
 * Recurring snapshots of etcd, made by each of its hosts alone: nobody has to be connected for them. A loop instead of a timer, so
 * that it is a unit as all others are; the age of the newest snapshot says when the next one is due, also after a restart.
 */
import { binDir, type HostInput, jsonFile } from '../node/host-input.ts';
import { etcDir } from '../node/paths.ts';
import { makeUnit, type Unit, type WantedFile } from '../node/unit.ts';
import { snapshotSettings } from './place.ts';

const settingsPath = `${etcDir}/etcd-snapshots.json`;

export function snapshotFiles({ node, spec }: HostInput): WantedFile[] {
  const { enabled, s3 } = spec.etcd.snapshots;
  if (!node.roles.includes('etcd') || !enabled) return [];
  return [jsonFile(settingsPath, snapshotSettings(spec, node, s3))];
}

export function snapshotUnits(input: HostInput, files: readonly WantedFile[]): Unit[] {
  if (!files.some(({ path }) => path === settingsPath)) return [];
  const bin = binDir(input);
  return [
    makeUnit({
      name: 'drover-etcd-snapshots.service',
      description: 'Recurring snapshots of etcd',
      binDir: bin,
      command: `${bin}/etcd-snapshots`,
      args: ['--settings', settingsPath, 'loop'],
      files,
      after: ['drover-etcd.service'],
      service: ['Nice=10', 'UMask=0077'],
    }),
  ];
}
