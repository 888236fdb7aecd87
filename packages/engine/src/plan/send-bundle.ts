/**
 * Puts a bundle onto a host: each file under its checksum, the mark of completeness last. What an interrupted run sent is not sent
 * again; the other bundles of the host stay, since a process may still run from one.
 */
import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import type { Bundle } from '../bundle/bundle.ts';
import type { Executor } from '../hosts/executor.ts';
import { bundleDir } from '../node/paths.ts';

export async function sendBundle(bundle: Bundle, executor: Executor, options: { signal?: AbortSignal }): Promise<void> {
  const { signal } = options;
  const { manifest } = bundle;
  const dir = bundleDir(manifest.id);
  const mark = `${dir}/.complete`;
  // A host that has it is left as it is, the times of files among it.
  if ((await executor.run(['test', '-f', mark], { signal })).code === 0) return;
  const folders = [...new Set(manifest.files.map(({ path }) => dirname(`${dir}/${path}`)))];
  await executor.run(['mkdir', '-p', ...folders], { signal });
  const there = await checksums(executor, dir, signal);
  for (const { path, sha256, executable } of manifest.files) {
    if (there.get(`${dir}/${path}`) === sha256) continue;
    const content = createReadStream(bundle.file(path));
    await executor.put(`${dir}/${path}`, content, { mode: executable ? 0o755 : 0o644, sha256, signal });
  }
  await executor.put(mark, `${manifest.id}\n`, { signal });
}

async function checksums(executor: Executor, dir: string, signal?: AbortSignal): Promise<Map<string, string>> {
  const argv = ['find', dir, '-type', 'f', '-not', '-name', '.*', '-exec', 'sha256sum', '{}', '+'];
  const { stdout } = await executor.run(argv, { timeoutMs: 300_000, signal });
  return new Map(
    stdout
      .split('\n')
      .filter(Boolean)
      .map(line => [line.slice(66), line.slice(0, 64)]),
  );
}
