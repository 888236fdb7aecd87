/** Values of a resource as people read them: times, references as links, lists, maps and tables of structs. */
import type { SchemaField } from '@drover/api';
import { encodeId } from '../api/url.ts';
import { html, type Markup } from './html.ts';
import type { View } from './view.ts';

/** Whether there is something to show. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

export function showValue(view: View, value: unknown, field?: Pick<SchemaField, 'type'>): Markup {
  if (!isSet(value)) return html`<span class="dim">–</span>`;
  const type = field?.type ?? '';
  if (typeof value === 'boolean') return html`${value ? view.texts.yes : view.texts.no}`;
  if (typeof value === 'number') return html`<span class="number">${value}</span>`;
  if (typeof value === 'string') return showText(view, value, type);
  if (Array.isArray(value)) return showList(view, value, type);
  return showMap(view, value as Record<string, unknown>);
}

function showText(view: View, value: string, type: string): Markup {
  const reference = /^reference\[(?:.*\/)?([^/\]]+)\]$/.exec(type)?.[1];
  const target = reference && collectionOf(view, reference);
  if (target) return html`<a href="${`${target}/${encodeId(value)}`}">${value}</a>`;
  if (isTime(value)) return showTime(value);
  return value.includes('\n') ? html`<pre class="value">\n${value}</pre>` : html`${value}`;
}

const isTime = (value: string) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(value) && !Number.isNaN(Date.parse(value));

function showTime(value: string): Markup {
  return html`<time datetime="${value}" title="${value}">${value.slice(0, 10)} ${value.slice(11, 16)} UTC</time>`;
}

/** Where resources of a type are; undefined where this caller has no such type. */
function collectionOf(view: View, type: string): string | undefined {
  const schema = view.schemas.get(type);
  if (schema?.links['collection'] && schema.resourceMethods.includes('GET')) return schema.links['collection'];
  // What a cluster holds refers to the whole API's types as well.
  return ['cluster', 'project', 'user'].includes(type) ? `${view.request.base}/v3/${type}s` : undefined;
}

function showList(view: View, values: readonly unknown[], type: string): Markup {
  if (values.every(isStruct)) return showStructs(view, values);
  const inner = /^array\[(.+)\]$/.exec(type)?.[1] ?? '';
  return html`<ul class="plain">${values.map(value => html`<li>${showValue(view, value, { type: inner })}</li>`)}</ul>`;
}

type Struct = Readonly<Record<string, unknown>>;

const isStruct = (value: unknown): value is Struct =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isFlat = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.every(item => typeof item !== 'object' || item === null)
    : !isSet(value) || !isStruct(value);

const mostColumns = 7;

/** A table while it is narrow and flat; otherwise each by itself, folded under its name. */
function showStructs(view: View, rows: readonly Struct[]): Markup {
  const names = [...new Set(rows.flatMap(row => Object.keys(row).filter(name => isSet(row[name]))))];
  if (names.length > mostColumns || !rows.every(row => Object.values(row).every(isFlat)))
    return html`${rows.map((row, i) => html`<details><summary>${nameOf(row, i)}</summary>${showMap(view, row)}</details>`)}`;
  return html`<div class="scroll"><table class="inner">
<thead><tr>${names.map(name => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(row => html`<tr>${names.map(name => html`<td>${showValue(view, row[name])}</td>`)}</tr>`)}</tbody>
</table></div>`;
}

function nameOf(row: Struct, i: number): string {
  const name = row['name'] ?? row['id'] ?? row['type'];
  return typeof name === 'string' && name !== '' ? name : String(i + 1);
}

/** Keys with their values side by side, and what has parts of its own below its key. */
function showMap(view: View, map: Struct): Markup {
  const entries = Object.entries(map).filter(([, value]) => isSet(value) || value === '');
  return html`<dl class="map">${entries.map(
    ([key, value]) =>
      html`<div${!isFlat(value) && html` class="deep"`}><dt>${key}</dt><dd>${showValue(view, value)}</dd></div>`,
  )}</dl>`;
}

const well = new Set(['active', 'available', 'bound', 'healthy', 'ready', 'running', 'succeeded']);

/** A resource's state with a mark that tells waiting and failing from being well. */
export function showState(data: Readonly<Record<string, unknown>>): Markup | undefined {
  const { state, transitioning } = data;
  if (typeof state !== 'string' || state === '') return undefined;
  const mood =
    transitioning === 'error' ? 'bad' : transitioning === 'yes' ? 'waiting' : well.has(state) ? 'good' : 'idle';
  return html`<span class="state ${mood}">${state}</span>`;
}
