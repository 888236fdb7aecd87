/** Everything that one host shall have, from what the whole cluster shall be. */
import type { WantedHost } from '../plan/wanted.ts';
import { snapshotFiles, snapshotUnits } from '../snapshots/unit.ts';
import { certFiles } from './cert-files.ts';
import { controlPlaneFiles, controlPlaneUnits } from './control-plane.ts';
import { etcdUnits } from './etcd.ts';
import type { HostInput } from './host-input.ts';
import { workerFiles, workerUnits } from './worker.ts';

export function wantedHost(input: HostInput): WantedHost {
  const files = [...certFiles(input), ...snapshotFiles(input), ...controlPlaneFiles(input), ...workerFiles(input)];
  return {
    node: input.node,
    files,
    etcd: etcdUnits(input, files),
    etcdHelpers: snapshotUnits(input, files),
    controlPlane: controlPlaneUnits(input, files),
    worker: workerUnits(input, files),
  };
}
