/** bundle build, verify, list: what hosts need to become nodes, of fixed versions, in one folder or one file. */
import { invalid } from '@drover/base';
import {
  type BundleManifest,
  buildBundle,
  defaultBundleDir,
  openBundle,
  parseKubernetes,
  verifyBundle,
  writeBundleTar,
} from '@drover/engine';
import { say } from '../messages.ts';
import { parseFormat, printList } from '../output.ts';

export interface BundleFlags {
  readonly dir?: string;
  readonly output?: string;
}

export interface BuildFlags extends BundleFlags {
  readonly kubernetes?: string;
  readonly from?: string;
  readonly checksums?: string;
}

export async function build(flags: BuildFlags): Promise<void> {
  const { output, from, checksums } = flags;
  if (output !== undefined && !output.endsWith('.tar'))
    throw invalid('--output', `is the file to write the bundle to, and its name ends in .tar: ${output} does not`);
  if (checksums !== undefined && from !== 'download') throw invalid('--checksums', 'is for --from download alone');
  const asked = flags.kubernetes === undefined ? undefined : parseKubernetes(flags.kubernetes, '--kubernetes');
  const dir = flags.dir ?? defaultBundleDir(asked?.minor);
  const manifest = await buildBundle(dir, {
    kubernetes: asked?.version,
    from,
    checksums,
    onProgress: message => process.stderr.write(`${message}\n`),
  });
  if (output !== undefined) await writeBundleTar(dir, output);
  process.stdout.write(`${output ?? dir}: ${summary(manifest)}\n`);
}

export async function verify(flags: BundleFlags): Promise<void> {
  const dir = flags.dir ?? defaultBundleDir();
  const problems = await verifyBundle(dir);
  if (problems.length > 0) throw invalid('bundle', `${dir} is not what it says:\n${problems.join('\n')}`);
  process.stdout.write(`${dir}: ${summary((await openBundle(dir)).manifest)}\n`);
}

export async function list(flags: BundleFlags): Promise<void> {
  const { manifest } = await openBundle(flags.dir ?? defaultBundleDir());
  const rows = Object.entries(manifest.versions).map(([name, version]) => ({ name, version }));
  await printList(
    rows,
    [
      { title: 'NAME', value: row => row.name },
      { title: 'VERSION', value: row => row.version },
    ],
    { format: parseFormat(flags.output), none: say('nothing') },
  );
}

function summary({ id, versions, files }: BundleManifest): string {
  const megabytes = Math.round(files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6);
  return `Kubernetes ${versions['kubernetes']}, ${files.length} files, ${megabytes} MB, ${id.slice(0, 12)}`;
}
