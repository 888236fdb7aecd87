/** Where this checkout stands, and where things that are slow to make are kept between runs. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The root of the checkout, absolute. */
export const root = join(import.meta.dirname, '..');

/** `$XDG_CACHE_HOME/drover` or `~/.cache/drover`: whatever lies there can be made again. */
export function cacheDir(...parts: string[]): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drover', ...parts);
}
