/** The rules of the house for one source file; each gives one line per fault, with its reason. */
import { basename, dirname, join, normalize } from 'node:path';
import { importsOf, packageOf } from './imports.ts';
import { layers } from './table.ts';

export interface Source {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Packages that the file's package.json declares. */
  readonly declared: ReadonlySet<string>;
}

const maxLines = 500;
const maxFoldersUnderSrc = 2;

/** All faults of one file. */
export function faultsOf(source: Source): string[] {
  return [sizeFaults, headerFaults, nameFaults, depthFaults, classFaults, importFaults].flatMap(rule => rule(source));
}

function sizeFaults({ path, text }: Source): string[] {
  const lines = text.split('\n').length - 1;
  return lines > maxLines
    ? [`${path}: ${lines} lines, the most is ${maxLines}: it holds more than one concept, split it`]
    : [];
}

function headerFaults({ path, text }: Source): string[] {
  const header = /^(?:#![^\n]*\n)?\/\*\*(.*?)\*\//s.exec(text);
  if (!header) return [`${path}: no header: open with /** what it is, what it is for, what surprises */`];
  const lines = header[1]!.split('\n').filter(line => line.replace(/[\s*]/g, '') !== '').length;
  if (lines === 0) return [`${path}: its header says nothing`];
  return lines > 5 ? [`${path}: a header of ${lines} lines, the most is 5: the rest belongs to what it explains`] : [];
}

function nameFaults({ path }: Source): string[] {
  const name = basename(path).replace(/(\.test|\.d)?\.tsx?$/, '');
  // A React component's file carries the component's name.
  if (path.endsWith('.tsx') && /^[A-Z][A-Za-z0-9]*$/.test(name)) return [];
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [`${path}: file names are kebab-case`];
}

function depthFaults({ path }: Source): string[] {
  const below = /^packages\/[^/]+\/src\/(.*)$/.exec(path)?.[1];
  const folders = below === undefined ? 0 : below.split('/').length - 1;
  return folders > maxFoldersUnderSrc
    ? [`${path}: ${folders} folders under src, the most is ${maxFoldersUnderSrc}`]
    : [];
}

const vague =
  /^(?:export )?(?:abstract )?(?:class|interface)\s+((?:\w*(?:Manager|Helper|Utils?|Service|Handler|Impl))|I[A-Z][a-z]\w*)\b/gm;

function classFaults({ path, text }: Source): string[] {
  return [...text.matchAll(vague)].map(
    match => `${path}: the name ${match[1]} says nothing: name the thing for what it is`,
  );
}

function importFaults({ path, text, declared }: Source): string[] {
  return importsOf(text).flatMap(({ specifier, line }) => {
    const wrong = specifier.startsWith('.') ? relativeFault(path, specifier) : packageFault(path, specifier, declared);
    return wrong ? [`${path}:${line}: imports ${specifier}: ${wrong}`] : [];
  });
}

/** The part of the house that a path belongs to: a package's name, `tools` or `test`. */
function partOf(path: string): string {
  const parts = path.split('/');
  return parts[0] === 'packages' ? parts[1]! : parts[0]!;
}

function relativeFault(path: string, specifier: string): string | undefined {
  const target = normalize(join(dirname(path), specifier));
  const from = partOf(path);
  const to = partOf(target);
  if (!/\.(ts|tsx|json|css)$/.test(specifier)) return 'relative imports carry their extension (.ts)';
  if (from === to) return undefined;
  // Tests and tools stand outside the packages and take what is exported, but may share code among themselves.
  if ((from === 'test' && to === 'tools') || (from === 'tools' && to === 'test')) return undefined;
  if (/\.test\.tsx?$/.test(path) && target.startsWith('test/vectors/')) return undefined;
  // Conformance suites and fixtures are written to be run from outside, and are no part of what a package exports.
  if (from === 'test' && /(-suite|fixture)\.ts$/.test(target)) return undefined;
  return `packages import each other by name, @drover/${to}, and only what its index exports`;
}

function packageFault(path: string, specifier: string, declared: ReadonlySet<string>): string | undefined {
  const name = packageOf(specifier);
  if (name === undefined) return undefined;
  const part = partOf(path);
  if (name.startsWith('@drover/')) {
    const other = name.slice('@drover/'.length);
    const layer = layers[part];
    if (!layer) return `"${part}" is not in the table of layers (test/layers/table.ts)`;
    if (other !== part && !layer.may.includes(other)) return layer.why;
    if (part === 'tools' || part === 'test') return undefined;
  }
  return declared.has(name) ? undefined : 'not declared in the package.json beside it';
}
