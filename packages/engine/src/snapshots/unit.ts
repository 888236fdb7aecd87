/**
 * Recurring snapshots of etcd, made by each of its hosts alone: nobody has to be connected for them. A loop instead of a timer, so
 * that it is a unit as all others are; the age of the newest snapshot says when the next one is due, also after a restart.
 */

import { binDir, type HostInput } from '../node/host-input.ts';
import { etcDir } from '../node/paths.ts';
import { makeUnit, type Unit, type WantedFile } from '../node/unit.ts';
import { clientFlags, snapshotsDir } from './place.ts';

const scriptPath = `${etcDir}/etcd-snapshots`;

export function snapshotFiles(input: HostInput): WantedFile[] {
  const { node, spec } = input;
  const { enabled, intervalHours, retention, timeoutSeconds, safeTimestamp } = spec.etcd.snapshots;
  if (!node.roles.includes('etcd') || !enabled) return [];
  const time = safeTimestamp ? '%Y-%m-%dT%H-%M-%SZ' : '%Y-%m-%dT%H:%M:%SZ';
  const content = `#!/bin/sh
set -u
dir=${snapshotsDir}
every=${intervalHours * 3600}
mkdir -p "$dir"
chmod 700 "$dir"
while :; do
  newest=$(find "$dir" -maxdepth 1 -name '*_etcd.db' -printf '%T@\\n' | sort -n | tail -n 1 | cut -d. -f1)
  due=$((\${newest:-$(stat -c %Y "$0")} + every - $(date +%s)))
  [ "$due" -le 0 ] || { sleep "$due"; continue; }
  name=$(date -u +${time})_etcd.db
  if timeout ${timeoutSeconds} etcdctl ${clientFlags(node).join(' ')} snapshot save "$dir/.part" && mv "$dir/.part" "$dir/$name"; then
    find "$dir" -maxdepth 1 -name '*_etcd.db' -printf '%T@ %p\\n' | sort -rn | tail -n +${retention + 1} | cut -d' ' -f2- | while read -r old; do rm -f "$old"; done
  else
    echo "no snapshot could be made; the next try is in 60 s" >&2
    sleep 60
  fi
done
`;
  return [{ path: scriptPath, content, mode: 0o700 }];
}

export function snapshotUnits(input: HostInput, files: readonly WantedFile[]): Unit[] {
  if (!files.some(({ path }) => path === scriptPath)) return [];
  return [
    makeUnit({
      name: 'drover-etcd-snapshots.service',
      description: 'Recurring snapshots of etcd',
      binDir: binDir(input),
      command: scriptPath,
      args: [],
      files,
      after: ['drover-etcd.service'],
      service: ['Nice=10', 'UMask=0077'],
    }),
  ];
}
