/**
 * Markup that escapes: whatever is put into an html`…` template becomes text, unless it is markup from another template.
 * There is no other way to make markup, so no value of a resource, a query or a header can become any.
 */

class Template {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type Markup = Template;

/** What may stand in a template; false and undefined leave nothing, so that `condition && html…` reads well. */
export type Value = Markup | string | number | boolean | undefined | null | readonly Value[];

export function html(literals: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let out = literals[0]!;
  for (const [i, value] of values.entries()) out += textOf(value) + literals[i + 1]!;
  return new Template(out);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function textOf(value: Value): string {
  if (value instanceof Template) return value.toString();
  if (Array.isArray(value)) return (value as readonly Value[]).map(textOf).join('');
  if (value === undefined || value === null || typeof value === 'boolean') return '';
  return String(value).replace(/[&<>"']/g, char => entities[char]!);
}

/** An address for a link: within this server or over HTTP(S), nothing that a browser would run. */
export function safeUrl(url: string): string {
  return /^(?:https?:\/\/|\/(?![/\\]))/i.test(url) ? url : '#';
}
