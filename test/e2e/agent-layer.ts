/** Another build of an agent, as far as hosts can tell: the archive of one with a layer more. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';

const blob = (hex: string): string => `blobs/sha256/${hex}`;

/** `files`: by their paths in the image. */
export async function withLayer(archive: Buffer, files: Readonly<Record<string, string>>): Promise<Buffer> {
  const layer = pack();
  const packed = buffer(layer);
  for (const [name, text] of Object.entries(files)) layer.entry({ name, mode: 0o644, mtime: new Date(0) }, text);
  layer.finalize();
  const bytes = gzipSync(await packed);
  const hex = createHash('sha256').update(bytes).digest('hex');
  const out = pack();
  const whole = buffer(out);
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    const content = await buffer(entry);
    const { name } = entry.header;
    out.entry({ name, mode: 0o644, mtime: new Date(0) }, name === 'manifest.json' ? changed(content, hex) : content);
  }
  out.entry({ name: blob(hex), mode: 0o644, mtime: new Date(0) }, bytes);
  out.finalize();
  return whole;
}

function changed(manifest: Buffer, layer: string): string {
  const [image] = JSON.parse(manifest.toString()) as [{ Layers: string[] }];
  const Config = blob(randomBytes(32).toString('hex'));
  return JSON.stringify([{ ...image, Config, Layers: [...image.Layers, blob(layer)] }]);
}
