/**
 * The data directory: private to its owner, marked with the format it is in, so that an older program refuses what a
 * newer one wrote instead of spoiling it.
 */
import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, messageOf } from '@drover/base';

/** Grows when what is kept changes so that an older program could not read it. */
export const dataFormat = 1;
const marker = 'drover.json';

/** Makes the directory or checks the one that is there; throws Invalid naming the directory and what is wrong with it. */
export async function openDataDir(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const mode = (await stat(path)).mode;
    if (mode & 0o022)
      throw invalid('--data-dir', `${path} can be written by other users; make it private with chmod 700`);
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw invalid('--data-dir', `can't use ${path}: ${messageOf(error)}`);
    throw error;
  }
  const text = await readFile(join(path, marker), 'utf8').catch(() => undefined);
  if (text === undefined) return markNew(path);
  const format = parseFormat(text);
  if (format === undefined)
    throw invalid('--data-dir', `${join(path, marker)} is damaged; restore it, or start with another directory`);
  if (format > dataFormat) {
    throw invalid(
      '--data-dir',
      `${path} was written by a newer Drover (format ${format}, this one reads up to ${dataFormat}); use that version`,
    );
  }
}

async function markNew(path: string): Promise<void> {
  const strangers = (await readdir(path)).filter(
    name => !name.startsWith('.') && name !== 'lost+found' && name !== `${marker}.tmp`,
  );
  if (strangers.length > 0) {
    throw invalid(
      '--data-dir',
      `${path} has files but is not a Drover data directory (${strangers[0]}, …); choose an empty one`,
    );
  }
  await writeFile(join(path, `${marker}.tmp`), `${JSON.stringify({ format: dataFormat })}\n`, { mode: 0o600 });
  await rename(join(path, `${marker}.tmp`), join(path, marker));
}

function parseFormat(text: string): number | undefined {
  try {
    const { format } = JSON.parse(text) as { format?: unknown };
    return typeof format === 'number' && Number.isInteger(format) && format > 0 ? format : undefined;
  } catch {
    return undefined;
  }
}
