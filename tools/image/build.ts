/** Puts an image together: libraries, Node and the program, each a layer, and the configuration that starts it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../root.ts';
import { buildWeb } from '../web/build.ts';
import { bundle } from './bundle.ts';
import { type Digest, digestOf } from './digest.ts';
import { type ImageFile, type Layer, makeLayer } from './layer.ts';
import { librariesFor } from './libraries.ts';
import { nodeBinary } from './node-binary.ts';
import type { Platform } from './platform.ts';
import type { Program } from './programs.ts';

export interface Blob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Buffer;
}

export interface Image {
  readonly platform: Platform['name'];
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly manifest: Blob;
}

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** Nobody in particular: the number that "nonroot" images use by custom. */
const user = 65532;
const nodePath = '/usr/local/bin/node';
const appDir = '/usr/lib/drover';

/** The same sources, lockfile and Debian packages give the same digests. */
export async function buildImage(program: Program, platform: Platform, more: readonly Layer[] = []): Promise<Image> {
  // The bundle takes along what the server names as a file: the UI, once it is there.
  if (program.name === 'server') await buildWeb();
  const node = await nodeBinary(platform);
  const nodeFile: ImageFile = { path: nodePath, bytes: node.bytes, mode: 0o755 };
  const app = await bundle(program.main, appDir, platform);
  const natives = app.filter(file => file.path.endsWith('.node'));
  const libraries = await librariesFor(platform, [nodeFile, ...natives]);
  const layers = [
    await makeLayer('libraries and certificates', [...libraries.files, ...systemFiles(program)]),
    await makeLayer(`Node ${node.version}`, [nodeFile, { path: '/usr/share/doc/node/LICENSE', bytes: node.license }]),
    await makeLayer(`drover ${program.name}`, [
      ...app,
      { path: `${appDir}/LICENSE`, bytes: await readFile(join(root, 'LICENSE')) },
    ]),
    ...more,
  ];
  return assemble(program, platform, { layers, libraries: libraries.origin, node: node.version });
}

function systemFiles(program: Program): ImageFile[] {
  const text = (path: string, content: string): ImageFile => ({ path, bytes: Buffer.from(content) });
  return [
    text(
      '/etc/passwd',
      `root:x:0:0:root:/root:/sbin/nologin\ndrover:x:${user}:${user}:drover:${program.home}:/sbin/nologin\n`,
    ),
    text('/etc/group', `root:x:0:\ndrover:x:${user}:\n`),
    text('/etc/nsswitch.conf', 'hosts: files dns\n'),
    { path: '/tmp', mode: 0o1777 },
    { path: program.home, mode: 0o750, owner: user },
  ];
}

interface Parts {
  readonly layers: readonly Layer[];
  readonly libraries: string;
  readonly node: string;
}

async function assemble(program: Program, platform: Platform, { layers, libraries, node }: Parts): Promise<Image> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const created = new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? 0) * 1000).toISOString();
  const config = jsonBlob(mediaTypes.config, {
    created,
    architecture: platform.name,
    os: 'linux',
    config: {
      User: `${user}:${user}`,
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', `HOME=${program.home}`, 'NODE_ENV=production', ...program.env],
      Entrypoint: [nodePath, ...program.nodeFlags, `${appDir}/main.mjs`],
      WorkingDir: program.home,
      ...(program.ports.length > 0 && {
        ExposedPorts: Object.fromEntries(program.ports.map(port => [`${port}/tcp`, {}])),
      }),
      Labels: {
        'org.opencontainers.image.title': `drover-${program.name}`,
        'org.opencontainers.image.description': program.description,
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'drover.node': node,
        'drover.libraries': libraries,
      },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
    history: layers.map(layer => ({ created, created_by: layer.createdBy })),
  });
  const blobs = layers.map(({ digest, bytes }): Blob => ({ mediaType: mediaTypes.layer, digest, bytes }));
  const manifest = jsonBlob(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: blobs.map(descriptor),
  });
  return { platform: platform.name, config, layers: blobs, manifest };
}

export function jsonBlob(mediaType: string, value: unknown): Blob {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, digest: digestOf(bytes), bytes };
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export function descriptor({ mediaType, digest, bytes }: Blob): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

/** The list that lets one name serve several platforms. */
export function indexOf(images: readonly Image[]): Blob {
  const manifests = images.map(image => ({
    ...descriptor(image.manifest),
    platform: { architecture: image.platform, os: 'linux' },
  }));
  return jsonBlob(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests });
}
