/**
 * Puts a bundle onto a host: each file under its checksum, the mark of completeness last. What an interrupted run sent is not sent
 * again; the other bundles of the host stay, since a process may still run from one. A host that reaches whoever has the bundle fetches
 * it from there by itself: what comes over the way of commands shares that way with all else.
 */
import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import type { Bundle, BundleFile } from '../bundle/bundle.ts';
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
  const missing = manifest.files.filter(({ path, sha256 }) => there.get(`${dir}/${path}`) !== sha256);
  const left = await fetchAll(missing, { executor, dir, signal });
  for (const { path, sha256, executable } of left) {
    const content = createReadStream(bundle.file(path));
    await executor.put(`${dir}/${path}`, content, { mode: executable ? 0o755 : 0o644, sha256, signal });
  }
  await executor.put(mark, `${manifest.id}\n`, { signal });
}

interface Fetching {
  readonly executor: Executor;
  readonly dir: string;
  readonly signal: AbortSignal | undefined;
}

/** A part that broke off is gone on with, else all of it is fetched; whatever came counts only by its checksum. */
const script = `set -eu
url=$1 ca=$2 sum=$3 to=$4 mode=$5
part=$(dirname "$to")/.$sum.part
get() {
  curl -fsS \${ca:+--cacert "$ca"} --connect-timeout 10 --speed-limit 1000 --speed-time 30 --retry 2 "$@" -o "$part" "$url/$sum"
}
whole() { echo "$sum  $part" | sha256sum -c --quiet - >&2; }
if [ -f "$part" ]; then whole 2>/dev/null || get -C - 2>/dev/null || true; fi
if ! { [ -f "$part" ] && whole 2>/dev/null; }; then
  rm -f "$part"
  { get && whole; } || { code=$?; rm -f "$part"; exit $code; }
fi
chmod "$mode" "$part"
mv -f "$part" "$to"`;

/** Those that could not be fetched: the first one that can't ends it, since the others would only take as long. */
export async function fetchAll(
  files: readonly BundleFile[],
  { executor, dir, signal }: Fetching,
): Promise<readonly BundleFile[]> {
  const { origin } = executor;
  if (!origin || files.length === 0) return files;
  const ca = origin.ca === undefined ? '' : `${dir}/.origin-ca.pem`;
  if (origin.ca !== undefined) await executor.put(ca, origin.ca, { signal });
  for (const [index, { path, sha256, executable }] of files.entries()) {
    const words = [origin.url, ca, sha256, `${dir}/${path}`, executable ? '755' : '644'];
    const { code, stderr } = await executor.run(['sh', '-c', script, 'fetch', ...words], {
      timeoutMs: 1_800_000,
      signal,
    });
    if (code === 0) continue;
    origin.onFailed(`${path}: ${stderr.trim().slice(-300) || `curl ended with ${code}`}`);
    return files.slice(index);
  }
  return [];
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
