/** The page of a collection: a table of what the caller may see, filters, order, pages, and forms to create and act. */
import type { V3Data } from '@drover/api';
import type { V3Resource } from '../api/behaviour.ts';
import { findType } from '../api/registry.ts';
import type { V3Schema } from '../api/v3-schema.ts';
import { curlLine } from './curl.ts';
import { formDialog } from './form.ts';
import { copyable, section } from './frame.ts';
import { html, type Markup, safeUrl } from './html.ts';
import { actionDialog } from './resource-page.ts';
import { showState, showValue } from './value.ts';
import type { View } from './view.ts';

/** The parts of a collection that the page reads; each may be absent. */
export interface Collection {
  readonly resourceType?: string;
  readonly data: readonly V3Resource[];
  readonly createTypes?: Readonly<Record<string, string>>;
  readonly actions?: Readonly<Record<string, string>>;
  readonly pagination?: Readonly<Record<string, unknown>>;
  readonly sort?: {
    readonly name?: string;
    readonly order?: string;
    readonly reverse?: string;
    readonly links?: Readonly<Record<string, string>>;
  };
  readonly filters?: Readonly<Record<string, readonly { readonly modifier: string; readonly value: string }[] | null>>;
}

export function collectionPage(view: View, body: Collection): Markup {
  const { texts, url } = view;
  const id = body.resourceType ?? '';
  const schema = view.schemas.get(id);
  const total = Number(body.pagination?.['total'] ?? body.data.length);
  const jsonUrl = new URL(url);
  jsonUrl.searchParams.set('_format', 'json');
  return html`<div class="heading"><h1>${schema?.pluralName ?? id}</h1><span class="count">${texts.count(body.data.length, total)}</span>
<div class="does">${doings(view, body, schema)}</div></div>
${filterBar(view, body, schema)}
${body.data.length > 0 ? table(view, body, schema) : html`<p class="none">${isFiltered(body) ? texts.nothingFits : texts.nothing}</p>`}
${pages(view, body)}
${section(texts.fromTerminal, copyable(texts, curlLine('GET', url.href)))}
<p class="more">${schema && html`<a href="${safeUrl(schema.links['self'] ?? '')}">${texts.schema}</a> · `}<a href="${jsonUrl.pathname}${jsonUrl.search}">${texts.asJson}</a></p>`;
}

function doings(view: View, { createTypes = {}, actions = {} }: Collection, schema: V3Schema | undefined): Markup {
  const { texts } = view;
  const creatable = Object.entries(createTypes).flatMap(([id, target]) => {
    const type = view.schemas.get(id);
    return type ? [{ type, target }] : [];
  });
  return html`${Object.keys(actions).map(name => html`<button type="button" data-dialog="action-${name}">${name}</button>`)}
${creatable.map(({ type }) => html`<button type="button" class="primary" data-dialog="create-${type.id}">${texts.create} ${type.id}</button>`)}
${Object.entries(actions).map(([name, target]) => actionDialog(view, { name, target, declared: schema?.collectionActions[name] }))}
${creatable.map(({ type, target }) => createDialog(view, type, target))}`;
}

function createDialog(view: View, type: V3Schema, target: string): Markup {
  const fields = Object.entries(type.resourceFields);
  return formDialog(view, {
    id: `create-${type.id}`,
    heading: `${view.texts.create} ${type.id}`,
    method: 'POST',
    target,
    fields: Object.fromEntries(fields.filter(([, field]) => field.create)),
    once: fields.filter(([, field]) => field.writeOnly).map(([name]) => name),
    after: 'open',
    submit: view.texts.create,
  });
}

function isFiltered({ filters = {} }: Collection): boolean {
  return Object.values(filters).some(set => set !== null);
}

/** The filters that hold, each with a way to take it out, and a form for one more. */
function filterBar(
  { texts, url }: View,
  { filters = {} }: Collection,
  schema: V3Schema | undefined,
): Markup | undefined {
  const names = Object.keys(schema?.collectionFilters ?? {});
  if (names.length === 0) return undefined;
  const comparisons = texts.comparisons as Readonly<Record<string, string>>;
  const chips = Object.entries(filters).flatMap(([field, set]) =>
    (set ?? []).map(
      ({ modifier, value }) =>
        html`<li>${field} ${comparisons[modifier] ?? modifier} <b>${value}</b> <a href="${without(url, { field, modifier, value })}" aria-label="${texts.removeFilter}: ${field} ${value}">×</a></li>`,
    ),
  );
  return html`<form class="filter" id="filter" aria-label="${texts.filter}">
<select name="field" aria-label="${texts.field}">${names.map(name => html`<option${name === 'name' && html` selected`}>${name}</option>`)}</select>
<select name="modifier" aria-label="${texts.filter}">${Object.entries(comparisons).map(([modifier, label]) => html`<option value="${modifier}">${label}</option>`)}</select>
<input name="value" type="text" aria-label="${texts.value}" autocomplete="off" spellcheck="false">
<button type="submit">${texts.addFilter}</button>
${chips.length > 0 && html`<ul class="chips">${chips}</ul>`}
</form>`;
}

function without(url: URL, { field, modifier, value }: { field: string; modifier: string; value: string }): string {
  const out = new URL(url);
  for (const key of [`${field}_${modifier}`, ...(modifier === 'eq' ? [field] : [])])
    out.searchParams.delete(key, value);
  out.searchParams.delete('marker');
  return `${out.pathname}${out.search}`;
}

function columnsOf(view: View, schema: V3Schema | undefined, data: readonly V3Resource[]): string[] {
  const declared = schema && findType(schema.id, view.request.context?.type)?.declaration.columns;
  const used = (name: string) => data.some(one => one[name] !== undefined && one[name] !== null);
  if (!declared) return ['id', ...['name', 'state', 'description', 'created'].filter(used)];
  const known = declared.filter(name => name === 'id' || name.split('.')[0]! in schema.resourceFields);
  return known.includes('created') || !used('created') ? known : [...known, 'created'];
}

function table(view: View, body: Collection, schema: V3Schema | undefined): Markup {
  const columns = columnsOf(view, schema, body.data);
  return html`<div class="scroll"><table>
<thead><tr>${columns.map(name => columnHead(name, body))}</tr></thead>
<tbody>${body.data.map(
    one => html`<tr>${columns.map((name, i) => html`<td>${cell(view, { one, name, schema, first: i === 0 })}</td>`)}</tr>
`,
  )}</tbody>
</table></div>`;
}

function columnHead(name: string, { sort = {} }: Collection): Markup {
  const sorted = sort.name === name;
  const to = sorted ? sort.reverse : sort.links?.[name];
  const order = sorted ? (sort.order === 'desc' ? 'descending' : 'ascending') : undefined;
  const label = to ? html`<a class="sort" href="${safeUrl(to)}">${name}</a>` : html`${name}`;
  return html`<th scope="col"${order && html` aria-sort="${order}"`}>${label}</th>`;
}

interface Cell {
  readonly one: V3Resource;
  readonly name: string;
  readonly schema: V3Schema | undefined;
  /** Leads to the resource. */
  readonly first: boolean;
}

const longest = 160;

function cell(view: View, { one, name, schema, first }: Cell): Markup {
  const value = name.split('.').reduce<unknown>((at, part) => (at as V3Data | undefined)?.[part], one);
  if (first) {
    const label = value === undefined ? String(one['id']) : String(value);
    return html`<a href="${safeUrl(String(one.links?.['self'] ?? ''))}">${label}</a>`;
  }
  if (name === 'state') return showState(one) ?? html`–`;
  if (typeof value === 'string' && (value.length > longest || value.includes('\n')))
    return html`${value.split('\n')[0]!.slice(0, longest)} …`;
  return showValue(view, value, schema?.resourceFields[name]);
}

function pages({ texts }: View, { pagination = {} }: Collection): Markup | undefined {
  const steps = (['first', 'previous', 'next', 'last'] as const).filter(step => typeof pagination[step] === 'string');
  if (!pagination['partial']) return undefined;
  return html`<nav class="pages">${steps.map(step => html`<a href="${safeUrl(String(pagination[step]))}" rel="${step === 'previous' ? 'prev' : step}">${texts[step]}</a>`)}</nav>`;
}
