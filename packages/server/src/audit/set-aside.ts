/** The files of an audit log: the one that is written, and those that were set aside under a name with their time, which sorts by age. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface SetAside {
  readonly path: string;
  readonly atMs: number;
}

export function nameParts(path: string): { readonly stem: string; readonly end: string } {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? { stem: name.slice(0, dot), end: name.slice(dot) } : { stem: name, end: '' };
}

/** Where a file is set aside to at that time; a name that is nobody's yet. */
export async function setAsidePath(path: string, atMs: number): Promise<string> {
  const { stem, end } = nameParts(path);
  const time = new Date(atMs).toISOString().replace(/:/g, '-').slice(0, -1);
  const start = join(dirname(path), `${stem}-${time}`);
  for (let i = 0; ; i++) {
    const name = i === 0 ? start + end : `${start}-${i}${end}`;
    if (!(await stat(name).catch(() => undefined))) return name;
  }
}

/** Those that there are, the latest first. */
export async function setAsides(path: string): Promise<SetAside[]> {
  const { stem, end } = nameParts(path);
  const found: SetAside[] = [];
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${stem}-`) || !name.endsWith(end)) continue;
    const time = /^(\d{4}-\d\d-\d\dT)(\d\d)-(\d\d)-(\d\d\.\d{3})(?:-\d+)?$/.exec(
      name.slice(stem.length + 1, name.length - end.length),
    );
    if (time)
      found.push({ path: join(dirname(path), name), atMs: Date.parse(`${time[1]}${time[2]}:${time[3]}:${time[4]}Z`) });
  }
  return found.sort((a, b) => b.atMs - a.atMs || (a.path < b.path ? 1 : -1));
}
