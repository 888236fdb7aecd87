/** Pushes images of one program, one per platform, under one name. */
import { type Image, indexOf } from './build.ts';
import type { Digest } from './digest.ts';
import type { Reference } from './reference.ts';
import { Registry, type RegistryOptions } from './registry.ts';

export interface PushOptions extends RegistryOptions {
  readonly onBlob?: (blob: { digest: Digest; size: number; sent: boolean }) => void;
}

export interface Pushed {
  /** What the tag leads to: the list of all platforms. */
  readonly digest: Digest;
  readonly sentBytes: number;
}

/** Blobs first, manifests next, the tag last: whoever pulls meanwhile sees the former image or the whole new one. */
export async function pushImages(images: readonly Image[], to: Reference, options: PushOptions = {}): Promise<Pushed> {
  await using registry = await Registry.open(to, options);
  let sentBytes = 0;
  for (const image of images) {
    for (const blob of [...image.layers, image.config]) {
      const sent = await registry.pushBlob(blob);
      if (sent) sentBytes += blob.bytes.length;
      options.onBlob?.({ digest: blob.digest, size: blob.bytes.length, sent });
    }
    await registry.pushManifest(image.manifest, image.manifest.digest);
  }
  const index = indexOf(images);
  await registry.pushManifest(index, to.tag);
  return { digest: index.digest, sentBytes };
}
