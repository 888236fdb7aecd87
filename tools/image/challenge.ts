/** Reads a WWW-Authenticate header (RFC 9110 §11.6.1) as far as registries use it: one scheme with its parameters. */

export interface Challenge {
  /** In lower case: `basic`, `bearer`; empty when there is none. */
  readonly scheme: string;
  readonly realm?: string;
  readonly service?: string;
  readonly scope?: string;
}

export function parseChallenge(header: string): Challenge {
  const [, scheme = '', rest = ''] = /^\s*(\S+)\s*(.*)$/s.exec(header) ?? [];
  const parameters = [...rest.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)].map(
    ([, name, quoted, plain]) => [name!.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain],
  );
  return { ...Object.fromEntries(parameters), scheme: scheme.toLowerCase() };
}
