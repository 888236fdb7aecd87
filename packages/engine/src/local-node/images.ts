/** The images that a local node has from the start: those of its bundle, and the tars that somebody put in a folder. Each imported once. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, messageOf } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';
import type { Bundle } from '../bundle/bundle.ts';
import { pinnedLabel } from '../node/paths.ts';
import type { Machine } from './machine.ts';
import { importImage } from './start-node.ts';

export interface LoadOptions {
  readonly machine: Machine;
  readonly bundle: Bundle;
  readonly ctr: string;
  /** Looked into for `*.tar`; need not be there. */
  readonly imagesDir: string;
  readonly log: Log;
}

/** Imports what is new or was changed. A tar of somebody's that is no image is told of and passed over. */
export async function loadImages({ machine, bundle, ctr, imagesDir, log }: LoadOptions): Promise<void> {
  // Beside what containerd keeps, so that the two go together.
  const memory = join(machine.stateDir, 'lib', 'imported.json');
  const imported = JSON.parse((await readFileIfThere(memory)) ?? '{}') as Record<string, string>;
  const load = async (path: string, ...flags: string[]) => {
    const { size, mtimeMs } = await stat(path);
    const seen = `${size} ${mtimeMs}`;
    if (imported[path] === seen) return;
    await importImage(machine, ctr, path, ...flags);
    imported[path] = seen;
    await writeFileAtomic(memory, JSON.stringify(imported));
  };
  for (const { path } of Object.values(bundle.manifest.images)) await load(bundle.file(path), '--label', pinnedLabel);
  const given = (await readdir(imagesDir).catch(() => [])).filter(name => name.endsWith('.tar'));
  for (const name of given)
    await load(join(imagesDir, name)).catch(error => {
      log.warn({ image: join(imagesDir, name), error: messageOf(error) }, 'not imported');
    });
}
