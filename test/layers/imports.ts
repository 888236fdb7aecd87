/** Finds what a TypeScript source imports: static and dynamic imports, re-exports and `import()` types. */

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

const patterns = [
  /^[ \t]*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<specifier>[^'"]+)\1/gms,
  /^[ \t]*import\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /\bimport\s*\(\s*(['"])(?<specifier>[^'"]+)\1/g,
  /\brequire(?:\.resolve)?\s*\(\s*(['"])(?<specifier>[^'"]+)\1/g,
];

export function importsOf(source: string): Import[] {
  const code = blankComments(source);
  const found = patterns.flatMap(pattern =>
    [...code.matchAll(pattern)].map(match => ({
      specifier: match.groups!['specifier']!,
      line: code.slice(0, match.index + match[0].length).split('\n').length,
    })),
  );
  return found.sort((a, b) => a.line - b.line);
}

/** Blanks comments that stand on lines of their own, keeping line numbers: an example in a header is not an import. */
function blankComments(source: string): string {
  return source
    .replace(/^[ \t]*\/\*.*?\*\//gms, text => text.replace(/[^\n]/g, ' '))
    .replace(/^[ \t]*\/\/.*$/gm, text => ' '.repeat(text.length));
}

/** The package that a bare specifier belongs to: `@scope/name/sub` → `@scope/name`; undefined for relative and node: ones. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:')) return undefined;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}
