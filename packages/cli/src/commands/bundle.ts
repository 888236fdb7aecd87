/** bundle build, verify, show: what hosts need to become nodes, of fixed versions, in one folder. */
import { invalid } from '@drover/base';
import { type BundleManifest, buildBundle, defaultBundleDir, openBundle, verifyBundle } from '@drover/engine';
import { say } from '../messages.ts';
import { parseFormat, printList } from '../output.ts';

export interface BundleFlags {
  readonly dir?: string;
  readonly output?: string;
}

export async function build(flags: BundleFlags): Promise<void> {
  const dir = flags.dir ?? defaultBundleDir();
  const manifest = await buildBundle(dir, { onProgress: message => process.stderr.write(`${message}\n`) });
  process.stdout.write(`${dir}: ${summary(manifest)}\n`);
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
