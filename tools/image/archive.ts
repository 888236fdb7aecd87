/**
 * An image as one tar file: an OCI layout that also carries the manifest.json of `docker save`, so that `docker load`,
 * `ctr image import`, podman and skopeo all take it.
 */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { badRequest } from '@drover/base';
import { extract, pack } from 'tar-stream';
import { type Blob, type Descriptor, descriptor, type Image, mediaTypes } from './build.ts';
import { type Digest, digestOf, hexOf } from './digest.ts';

const blobPath = (digest: Digest) => `blobs/sha256/${hexOf(digest)}`;

/** The bytes of the archive; `name` is what the image is called once loaded, e.g. `docker.io/drover/agent:0.1.0`. */
export async function writeArchive(image: Image, name: string): Promise<Buffer> {
  const blobs = [...image.layers, image.config, image.manifest];
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      {
        ...descriptor(image.manifest),
        platform: { architecture: image.platform, os: 'linux' },
        annotations: {
          'io.containerd.image.name': name,
          'org.opencontainers.image.ref.name': name.slice(name.lastIndexOf(':') + 1),
        },
      },
    ],
  };
  const docker = [
    {
      Config: blobPath(image.config.digest),
      RepoTags: [name.replace(/^docker\.io\//, '')],
      Layers: image.layers.map(layer => blobPath(layer.digest)),
    },
  ];
  const files: [string, Buffer][] = [
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', Buffer.from(JSON.stringify(index))],
    ['manifest.json', Buffer.from(JSON.stringify(docker))],
    ...blobs.map((blob): [string, Buffer] => [blobPath(blob.digest), blob.bytes]),
  ];
  const archive = pack();
  const whole = buffer(archive);
  for (const [path, bytes] of files) archive.entry({ name: path, mode: 0o644, mtime: new Date(0) }, bytes);
  archive.finalize();
  return whole;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Reads the images of an archive back, each blob held against its digest; throws BadRequest naming what is wrong. */
export async function readArchive(path: string): Promise<Image[]> {
  const files = new Map<string, Buffer>();
  for await (const entry of Readable.from([await readFile(path)]).pipe(extract())) {
    files.set(entry.header.name.replace(/^\.\//, ''), await buffer(entry));
  }
  const index = files.get('index.json');
  if (!index) throw badRequest(`${path} is no OCI image archive: it has no index.json`);
  const blob = ({ digest, mediaType }: Descriptor): Blob => {
    const bytes = files.get(blobPath(digest));
    if (!bytes) throw badRequest(`${path} lacks the blob ${digest}`);
    if (digestOf(bytes) !== digest) throw badRequest(`${path} is damaged: the blob ${digest} has other bytes`);
    return { mediaType, digest, bytes };
  };
  const { manifests } = JSON.parse(index.toString()) as { manifests: Descriptor[] };
  return manifests.map(each => {
    const manifest = blob(each);
    const { config, layers } = JSON.parse(manifest.bytes.toString()) as Manifest;
    const settings = blob(config);
    const { architecture } = JSON.parse(settings.bytes.toString()) as { architecture: Image['platform'] };
    return { platform: architecture, manifest, config: settings, layers: layers.map(blob) };
  });
}
