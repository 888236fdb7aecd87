/**
 * What is run in a container to list, read and write its files: a few lines of shell that both GNU's and BusyBox's tools understand.
 * Paths come as arguments, never as part of the text.
 */
import { invalid } from '@drover/base';

export interface FileEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** When it was last written, in seconds. */
  readonly modified: number;
}

export const mostEntries = 2000;

const sh = (script: string, ...args: readonly string[]): string[] => ['sh', '-c', script, 'sh', ...args];

export const listCommand = (path: string): string[] =>
  sh(`cd -- "$1" && ls -A1 | head -n ${mostEntries + 1} | tr '\\n' '\\0' | xargs -0 -r stat -c '%F|%s|%Y|%n' --`, path);

/** The size of a file, and what follows the first bytes of it. */
export const sizeCommand = (path: string): string[] =>
  sh('[ -f "$1" ] || { echo "$1: no such file" >&2; exit 1; }; wc -c < "$1"', path);
export const readCommand = (path: string, from: number): string[] => ['tail', '-c', `+${from + 1}`, '--', path];
/** A folder with all that is in it. */
export const archiveCommand = (path: string): string[] =>
  sh('cd -- "$1/.." 2>/dev/null && exec tar cf - -- "$(basename "$1")"', path);

/**
 * Adds so many bytes to what has arrived of a file beside its place, and puts it there with the last of them. It answers how many there
 * are then; other bytes than those that come next are refused.
 */
export const writeCommand = (
  path: string,
  { offset, length, isLast }: { readonly offset: number; readonly length: number; readonly isLast: boolean },
): string[] =>
  sh(
    [
      'part="$1.drover-part"',
      'if [ "$2" = 0 ]; then : > "$part" || exit 1; fi',
      'have=$(wc -c < "$part") || exit 1',
      'if [ "$have" -ne "$2" ]; then echo "$have"; exit 0; fi',
      'head -c "$3" >> "$part" || exit 1',
      'have=$(wc -c < "$part")',
      'if [ "$4" = last ] && [ "$have" -eq "$(($2 + $3))" ]; then mv -f -- "$part" "$1" || exit 1; fi',
      'echo "$have"',
    ].join('\n'),
    path,
    String(offset),
    String(length),
    isLast ? 'last' : 'more',
  );

const kinds: Readonly<Record<string, FileEntry['kind']>> = {
  'regular file': 'file',
  'regular empty file': 'file',
  directory: 'folder',
  'symbolic link': 'link',
};

/** What a list says; a name with a line break in it is not shown. */
export function parseEntries(text: string): FileEntry[] {
  return text.split('\n').flatMap(line => {
    const [, kind, size, modified, name] = /^([^|]*)\|(\d+)\|(\d+)\|(.+)$/.exec(line) ?? [];
    return name === undefined
      ? []
      : [{ name, kind: kinds[kind!] ?? 'other', size: Number(size), modified: Number(modified) }];
  });
}

/** Throws Invalid for what is no absolute path. */
export function readPath(path: string | null): string {
  if (path === null || !path.startsWith('/') || path.length > 4096 || /[\0\r\n]/.test(path))
    throw invalid('path', 'must be an absolute path of at most 4096 characters in one line');
  return path;
}
