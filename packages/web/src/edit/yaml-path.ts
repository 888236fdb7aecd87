/** Where in a YAML text somebody is: the keys down to a line, by how lines are indented; good for texts that are half written. */

export interface YamlPlace {
  /** Keys from the top; an item of a list is `[]`. */
  readonly path: readonly string[];
  /** What of a key has been written up to the cursor; undefined where a value is being written. */
  readonly word?: string;
  /** The key whose value is being written. */
  readonly valueKey?: string;
}

interface Line {
  /** How far its key is indented, whatever dashes stand before it. */
  readonly indent: number;
  /** Where each dash before it stands. */
  readonly dashes: readonly number[];
  readonly key?: string;
  readonly isBlank: boolean;
}

function readLine(text: string): Line {
  let at = 0;
  const dashes: number[] = [];
  for (;;) {
    const [spaces = ''] = /^ */.exec(text.slice(at)) ?? [];
    at += spaces.length;
    if (!/^-(?: |$)/.test(text.slice(at))) break;
    dashes.push(at);
    at++;
  }
  const rest = text.slice(at);
  const key = /^(?:"([^"]*)"|'([^']*)'|([^\s#:'"[\]{}][^:#]*?))\s*:(?:\s|$)/.exec(rest);
  return {
    indent: at,
    dashes,
    key: key?.[1] ?? key?.[2] ?? key?.[3],
    isBlank: rest === '' || rest.startsWith('#') || rest === '---',
  };
}

/** Of a position within one document. */
export function placeIn(text: string, position: number): YamlPlace {
  const before = text.slice(0, position).split('\n');
  const current = before.pop() ?? '';
  const whole = current + (text.slice(position).split('\n')[0] ?? '');
  const line = readLine(whole);
  const typed = current.slice(Math.min(current.length, line.indent));
  const value = line.key === undefined ? undefined : /^[^:]*:\s+(.*)$/.exec(typed);
  const path = parents(before, line);
  if (value) return { path, valueKey: line.key!, word: value[1] ?? '' };
  return { path, word: typed.replace(/^["']/, '') };
}

function parents(before: readonly string[], { indent, dashes }: Line): string[] {
  const path: string[] = [];
  let least = indent;
  const own = [...dashes];
  // The dashes of the line itself come below whatever key stands further out than they do.
  for (let dash = own.pop(); dash !== undefined; dash = own.pop()) {
    path.unshift('[]');
    least = dash;
  }
  let isInList = dashes.length > 0;
  for (let i = before.length - 1; i >= 0 && (least > 0 || isInList); i--) {
    const line = readLine(before[i]!);
    if (before[i] === '---') break;
    if (line.isBlank && line.dashes.length === 0) continue;
    // A key at the depth of a dash holds the list; else what is less indented holds what is more.
    const holds =
      line.key !== undefined && (isInList ? line.indent <= least && line.dashes.length === 0 : line.indent < least);
    if (holds || (line.key !== undefined && isInList && line.indent < least)) {
      path.unshift(line.key!);
      least = line.indent;
      isInList = false;
    }
    for (const dash of [...line.dashes].reverse()) {
      if (dash >= least) continue;
      path.unshift('[]');
      least = dash;
      isInList = true;
    }
  }
  return path;
}
