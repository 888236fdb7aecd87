/**
 * Container images without a registry or a daemon: one layer of given files as an OCI layout in a tar, which `ctr image import`
 * takes. The test image is Debian's static busybox with a link per applet.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { platformName } from '@drover/engine';
import { pack } from 'tar-stream';
import { run } from './command.ts';

interface ImageFile {
  readonly path: string;
  readonly mode?: number;
  readonly content?: Uint8Array | string;
  /** A symbolic link's target. */
  readonly link?: string;
  readonly directory?: boolean;
}

interface ImageOptions {
  /** With a tag, e.g. `drover.test/busybox:1`. */
  readonly name: string;
  readonly files: readonly ImageFile[];
  readonly config: { readonly Entrypoint?: string[]; readonly Cmd?: string[]; readonly Env?: string[] };
}

export const pauseImage = 'drover.test/pause:1';
export const busyboxImage = 'drover.test/busybox:1';

/** Writes the image as a tar to `path`. */
async function writeImage(path: string, options: ImageOptions): Promise<void> {
  const layer = await tarOf(options.files);
  const { arch } = platformName();
  const config = json({
    architecture: arch,
    os: 'linux',
    config: options.config,
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  });
  const describe = (mediaType: string, blob: Uint8Array) => ({ mediaType, digest: digest(blob), size: blob.length });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: describe('application/vnd.oci.image.config.v1+json', config),
    layers: [describe('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        ...describe('application/vnd.oci.image.manifest.v1+json', manifest),
        platform: { architecture: arch, os: 'linux' },
        annotations: { 'io.containerd.image.name': options.name },
      },
    ],
  });
  const blobs = [layer, config, manifest].map(content => ({
    path: `blobs/sha256/${digest(content).slice('sha256:'.length)}`,
    content,
  }));
  const layout = { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) };
  const all = await tarOf([layout, { path: 'index.json', content: index }, ...blobs]);
  await pipeline([all], createWriteStream(path));
}

/** The image that holds a pod's namespaces: our own static program and nothing else. */
export async function writePauseImage(path: string, pauseBinary: string): Promise<void> {
  const files = [{ path: 'pause', mode: 0o755, content: await readFile(pauseBinary) }];
  await writeImage(path, { name: pauseImage, files, config: { Entrypoint: ['/pause'] } });
}

/** A small world for pods: sh, tar, cat, nc, httpd, wget and all else that busybox has. */
export async function writeBusyboxImage(path: string): Promise<void> {
  const applets = (await run('busybox', ['--list'])).trim().split('\n');
  const files: ImageFile[] = [
    ...['bin', 'etc', 'root', 'usr', 'usr/bin'].map(dir => ({ path: dir, directory: true })),
    { path: 'tmp', directory: true, mode: 0o1777 },
    { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
    { path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    {
      path: 'bin/busybox',
      mode: 0o755,
      content: await readFile((await run('sh', ['-c', 'command -v busybox'])).trim()),
    },
    ...applets.filter(name => name !== 'busybox').map(name => ({ path: `bin/${name}`, link: 'busybox' })),
  ];
  const config = { Cmd: ['sh'], Env: ['PATH=/bin:/usr/bin', 'HOME=/root'] };
  await writeImage(path, { name: busyboxImage, files, config });
}

async function tarOf(files: readonly ImageFile[]): Promise<Uint8Array> {
  const tar = pack();
  const chunks: Uint8Array[] = [];
  const collecting = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  })();
  for (const { path, mode, content = '', link, directory } of files) {
    const mtime = new Date(0);
    if (link !== undefined) tar.entry({ name: path, type: 'symlink', linkname: link, mtime });
    else if (directory) tar.entry({ name: path, type: 'directory', mode: mode ?? 0o755, mtime });
    else tar.entry({ name: path, mode: mode ?? 0o644, mtime }, Buffer.from(content));
  }
  tar.finalize();
  await collecting;
  return Buffer.concat(chunks);
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function digest(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
