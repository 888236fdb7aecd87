/** An S3-compatible server for tests: built from its Go module once and kept in the cache, objects in its memory. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { messageOf } from '@drover/base';
import type { CertPair } from '@drover/engine';
import { cacheDir, root } from '../../tools/root.ts';

const moduleDir = join(root, 'tools/s3-server');

/** Its binary, or why there is none here. */
export async function s3Binary(): Promise<{ path: string } | { missing: string }> {
  const sources = await Promise.all(['go.sum', 'main.go'].map(name => readFile(join(moduleDir, name))));
  const key = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 12);
  const path = join(cacheDir('s3-server'), `s3-server-${key}`);
  if (existsSync(path)) return { path };
  await mkdir(cacheDir('s3-server'), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  try {
    const env = { ...process.env, CGO_ENABLED: '0' };
    await promisify(execFile)('go', ['build', '-trimpath', '-o', temporary, '.'], { cwd: moduleDir, env });
    await rename(temporary, path);
    return { path };
  } catch (error) {
    return { missing: `no S3 server: go build failed: ${messageOf(error)}` };
  }
}

export interface S3Server extends AsyncDisposable {
  /** HOST:PORT. */
  readonly host: string;
}

export interface S3Options {
  readonly binary: string;
  readonly dir: string;
  /** With TLS where it is given. */
  readonly cert?: CertPair;
  /** Cuts each connection once so much has come over it. */
  readonly breakAfter?: number;
  /** Default: the loopback. */
  readonly address?: string;
}

/** Access key `ak`, secret key `sk-secret`, an empty bucket `snapshots`. */
export async function startS3({ binary, dir, cert, breakAfter, address = '127.0.0.1' }: S3Options): Promise<S3Server> {
  const args = breakAfter === undefined ? [] : ['--break-after', String(breakAfter)];
  if (cert) {
    await writeFile(join(dir, 's3.crt'), cert.cert);
    await writeFile(join(dir, 's3.key'), cert.key.reveal(), { mode: 0o600 });
    args.push('--tls-cert', join(dir, 's3.crt'), '--tls-key', join(dir, 's3.key'));
  }
  const child = spawn(binary, [...args, `${address}:0`], {
    env: { S3_ACCESS_KEY: 'ak', S3_SECRET_KEY: 'sk-secret' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string];
  return {
    host: String(line).replace('listening ', ''),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
