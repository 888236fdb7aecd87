/** What a browser loads of a built UI before it shows anything: the scripts of the page, and what they import before they run. */
import { internal } from '@drover/base';

/** The names of its scripts; `files` are the texts of all files by their names. */
export function firstLoad(files: ReadonlyMap<string, string>): ReadonlySet<string> {
  const found = new Set<string>();
  const take = (name: string): void => {
    if (found.has(name)) return;
    const text = files.get(name);
    if (text === undefined) throw internal(`${name} is not there`);
    found.add(name);
    for (const [, path] of text.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)) take(`assets/${path}`);
  };
  for (const [, entry] of (files.get('index.html') ?? '').matchAll(/<script[^>]+src="\/ui\/([^"]+)"/g)) take(entry!);
  return found;
}
