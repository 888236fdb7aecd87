/** The published Go client of the API as a program, built once into the cache by a hash of its sources. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = join(import.meta.dirname, '../../tools/go-client');

/** Its path; a reason to skip where there is no Go, or where what it is built of can't be had. */
export async function goClient(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const hash = createHash('sha256');
  for (const name of (await readdir(sources)).sort()) hash.update(name).update(await readFile(join(sources, name)));
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'drover/tools', `go-client-${hash.digest('hex').slice(0, 16)}`);
  const path = join(folder, 'go-client');
  if (existsSync(path)) return { path };
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' };
  try {
    await run('go', ['version']);
  } catch {
    return { missing: 'needs Go to build the published client' };
  }
  try {
    await run('go', ['mod', 'download'], { cwd: sources, env });
  } catch {
    return { missing: 'needs the modules of the published client, which could not be had' };
  }
  await mkdir(folder, { recursive: true });
  const fresh = `${path}.${process.pid}`;
  await run('go', ['build', '-trimpath', '-o', fresh, '.'], { cwd: sources, env });
  await rename(fresh, path);
  return { path };
}
