/**
 * What people type into a list's filter, as requirements in the server's grammar: words that names hold, `!word` that they do not, and
 * `-l key=value` for labels (`-l key` where it is there at all).
 */

/** A text as a value of the filter grammar. */
export const quote = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

/** Requirements that must all hold; `fields` are those that a word is looked for in. */
export function filtersOf(text: string, fields: readonly string[]): readonly string[] {
  const filters: string[] = [];
  const words = text.split(/\s+/).filter(Boolean);
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-l') {
      for (const label of (words.shift() ?? '').split(',').filter(Boolean)) filters.push(labelFilter(label));
    } else if (word.startsWith('!')) {
      if (word.length > 1) for (const field of fields) filters.push(`${field}!~${quote(word.slice(1))}`);
    } else filters.push(fields.map(field => `${field}~${quote(word)}`).join(','));
  }
  return filters;
}

function labelFilter(text: string): string {
  const [, name = text, not, value] = /^(.*?)(!)?==?(.*)$/.exec(text) ?? [];
  const field = `metadata.labels[${name}]`;
  if (value === undefined) return text.startsWith('!') ? `!metadata.labels[${text.slice(1)}]` : field;
  return `${field}${not ? '!=' : '='}${quote(value)}`;
}
