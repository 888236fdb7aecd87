/**
 * Container images without a registry or a daemon: layers of given files as an OCI layout in a tar, which `ctr images import`
 * takes. The same files give the same bytes.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { platformName } from '../binaries/names.ts';

export interface ImageFile {
  readonly path: string;
  readonly mode?: number;
  readonly content?: Uint8Array | string;
  /** A symbolic link's target. */
  readonly link?: string;
  readonly directory?: boolean;
}

export interface ImageOptions {
  /** With a tag, e.g. `drover.io/pause:1`. */
  readonly name: string;
  readonly files: readonly ImageFile[];
  /** Of a layer below, which several images may share. */
  readonly base?: readonly ImageFile[];
  readonly config: {
    readonly Entrypoint?: string[];
    readonly Cmd?: string[];
    readonly Env?: string[];
    readonly User?: string;
  };
}

/** Writes the image as a tar to `path`. */
export async function writeImage(path: string, options: ImageOptions): Promise<void> {
  const layers = await Promise.all([...(options.base ? [options.base] : []), options.files].map(tarOf));
  const { arch } = platformName();
  const config = json({
    architecture: arch,
    os: 'linux',
    config: options.config,
    rootfs: { type: 'layers', diff_ids: layers.map(digest) },
  });
  const describe = (mediaType: string, blob: Uint8Array) => ({ mediaType, digest: digest(blob), size: blob.length });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: describe('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map(layer => describe('application/vnd.oci.image.layer.v1.tar', layer)),
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
  const blobs = [...layers, config, manifest].map(content => ({
    path: `blobs/sha256/${digest(content).slice('sha256:'.length)}`,
    content,
  }));
  const layout = { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) };
  const all = await tarOf([layout, { path: 'index.json', content: index }, ...blobs]);
  await pipeline([all], createWriteStream(path));
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
