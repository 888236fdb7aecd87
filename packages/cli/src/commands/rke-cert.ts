/**
 * rke cert rotate, list: new certificates by the same authorities or by new ones; components start anew in the order that keeps a
 * cluster alive.
 */
import { invalid } from '@drover/base';
import { certificateEnds, readState, renewalOf, writeRequests } from '@drover/engine';
import { say } from '../messages.ts';
import { parseFormat, printList } from '../output.ts';
import { certDirOf, filesOf, type RkeFlags, readConfig, up } from './rke.ts';

export interface RotateFlags extends RkeFlags {
  readonly service?: readonly string[];
  readonly rotateCa?: boolean;
  readonly restartWorkloads?: string;
}

/**
 * Without a service: all of them. Unless they are asked for, the cluster's authorities stay; so does the key that signs for service
 * accounts.
 */
export async function rotate(flags: RotateFlags): Promise<void> {
  const { restartWorkloads = 'system' } = flags;
  if (restartWorkloads !== 'system' && restartWorkloads !== 'all')
    throw invalid('--restart-workloads', 'must be system or all');
  if (flags.rotateCa) {
    if (flags.service) throw invalid('--service', 'can not be given with --rotate-ca, which is for all of them');
    return await up(flags, { rotateAuthorities: true, restartWorkloads });
  }
  await up(flags, { renew: renewalOf(flags.service, '--service') });
}

/** Writes a request for each certificate of the cluster, to have them signed elsewhere. */
export async function generateCsr(flags: RkeFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  const dir = certDirOf(flags, files);
  const names = await writeRequests(spec, dir);
  process.stdout.write(`${say('rkeRequests', { count: String(names.length), path: dir })}\n`);
}

/** When each ends, the first ones first. */
export async function list(flags: RkeFlags): Promise<void> {
  const files = filesOf(flags);
  const { spec } = await readConfig(files, flags);
  const state = await readState(files.state, spec);
  if (!state) throw invalid('--config', say('rkeNoStateYet', { path: files.state }));
  const rows = Object.entries(certificateEnds(state.certificates)).map(([name, ends]) => ({ name, ends }));
  rows.sort((a, b) => (a.ends < b.ends ? -1 : 1));
  await printList(
    rows,
    [
      { title: 'NAME', value: row => row.name },
      { title: 'ENDS', value: row => row.ends },
    ],
    { format: parseFormat(flags.output), none: say('nothing') },
  );
}
