/**
 * Forms made from a schema. What each control holds is told by `data-kind`, from which the page's script makes the JSON that
 * is sent; on edit only what was changed is sent.
 */
import type { SchemaField, SchemaFields, V3Data } from '@drover/api';
import { html, type Markup, safeUrl } from './html.ts';
import { isSet } from './value.ts';
import type { View } from './view.ts';

export interface FormOptions {
  /** Names the dialog on its page. */
  readonly id: string;
  readonly heading: string;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  /** Where the form is sent, absolute. */
  readonly target: string;
  readonly fields?: SchemaFields;
  /** What the resource holds now. */
  readonly data?: V3Data;
  /** What comes after success: the resource that was answered, this page again, the answer itself, or an address. */
  readonly after: 'open' | 'reload' | 'show' | `/${string}`;
  /** Fields that an answer holds once and never again: one that has them is shown instead of left behind. */
  readonly once?: readonly string[];
  readonly lead?: string;
  readonly submit: string;
}

/** A dialog with the form; it is closed until a button with `data-dialog` names it. */
export function formDialog(view: View, options: FormOptions): Markup {
  const { texts } = view;
  const { id, heading, method, target, fields, data, lead } = options;
  const names = Object.keys(fields ?? {}).sort(byImportance(fields ?? {}));
  const hasBody = names.length > 0;
  return html`<dialog id="${id}" aria-labelledby="${id}-heading">
<form data-method="${method}" data-target="${safeUrl(target)}" data-after="${options.after}" data-once="${(options.once ?? []).join(' ')}" data-edit="${data ? 'true' : 'false'}">
<header><h2 id="${id}-heading">${heading}</h2>${
    hasBody &&
    html`<div class="tabs" role="group"><button type="button" data-mode="form" aria-pressed="true">${texts.form}</button><button type="button" data-mode="json" aria-pressed="false">${texts.asJson}</button></div>`
  }</header>
<div class="body">
${lead && html`<p>${lead}</p>`}
<div data-part="form">${controls(view, names, options)}</div>
<textarea data-part="json" class="code" rows="14" spellcheck="false" aria-label="JSON" hidden>\n${JSON.stringify(currentOf(names, data), undefined, 2)}</textarea>
<details><summary>${texts.request}</summary><pre data-part="request"></pre></details>
<p class="error" data-part="error" role="alert" hidden></p>
<div data-part="answer" hidden></div>
</div>
<footer><button type="button" data-close>${texts.cancel}</button><button type="submit" class="${method === 'DELETE' ? 'danger' : 'primary'}">${options.submit}</button></footer>
</form>
</dialog>`;
}

const mostOpen = 10;

/** A long form begins with what is required, set or usual; the rest is folded. */
function controls(view: View, names: readonly string[], { id, fields = {}, data }: FormOptions): Markup {
  const made = (name: string, first: boolean) => control(view, { id, name, field: fields[name]!, data, first });
  const isUsual = (name: string) =>
    fields[name]!.required || isSet(data?.[name]) || early.includes(name) || late.includes(name);
  const open = names.length > mostOpen ? names.filter(isUsual) : names;
  const folded = names.filter(name => !open.includes(name));
  return html`${open.map((name, i) => made(name, i === 0))}${
    folded.length > 0 &&
    html`<details class="folded"><summary>${view.texts.moreFields} (${folded.length})</summary>${folded.map(name => made(name, false))}</details>`
  }`;
}

/** What the JSON of an edit begins with: the fields that can be changed, as they are. */
function currentOf(names: readonly string[], data: V3Data | undefined): V3Data {
  return Object.fromEntries(names.flatMap(name => (data?.[name] === undefined ? [] : [[name, data[name]]])));
}

const early = ['name', 'displayName', 'username', 'password', 'description', 'value'];
const late = ['namespaceId', 'labels', 'annotations'];

function byImportance(fields: SchemaFields): (a: string, b: string) => number {
  const rank = (name: string) => {
    if (late.includes(name)) return 300 + late.indexOf(name);
    const at = early.indexOf(name);
    return (at >= 0 ? at : 100) - (fields[name]!.required ? 200 : 0);
  };
  return (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1);
}

type Kind = 'text' | 'number' | 'boolean' | 'lines' | 'pairs' | 'json';

function kindOf({ type }: SchemaField, value: unknown): Kind {
  if (type === 'int' || type === 'float') return 'number';
  if (type === 'boolean') return 'boolean';
  if (/^array\[(string|enum|dnsLabel|hostname|reference\[.*\])\]$/.test(type)) return isLines(value) ? 'lines' : 'json';
  if (type === 'map[string]') return isPairs(value) ? 'pairs' : 'json';
  return /^(string|password|enum|date|base64|dnsLabel|dnsLabelRestricted|hostname|intOrString|reference\[.*\])$/.test(
    type,
  )
    ? 'text'
    : 'json';
}

/** Whether lines can hold the value without changing it; otherwise it is edited as JSON. */
const isLines = (value: unknown) =>
  !isSet(value) ||
  (Array.isArray(value) &&
    value.every(item => typeof item === 'string' && /^[^\r\n]*\S[^\r\n]*$/.test(item) && item.trim() === item));
const isPairs = (value: unknown) =>
  !isSet(value) ||
  Object.entries(value as object).every(
    ([key, item]) => key !== '' && !/[=\s]/.test(key) && typeof item === 'string' && !/[\r\n]/.test(item),
  );

interface ControlOptions {
  readonly id: string;
  readonly name: string;
  readonly field: SchemaField;
  readonly data: V3Data | undefined;
  /** Where the dialog begins. */
  readonly first: boolean;
}

function control(view: View, { id, name, field, data, first }: ControlOptions): Markup {
  const value = data?.[name];
  const kind = kindOf(field, value);
  // The namespace is worked out from what the resource is of, whatever the schema says.
  const required = field.required && !data && field.default === undefined && name !== 'namespaceId';
  const hints = [required && view.texts.required, hintOf(view, kind), field.description].filter(Boolean);
  const common = { id: `${id}-${name}`, name, kind, required: Boolean(required), first, hinted: hints.length > 0 };
  return html`<div class="field"><label for="${common.id}">${name}</label>${
    hints.length > 0 && html`<small id="${common.id}-hint">${hints.join(' · ')}</small>`
  }${inputOf(view, field, { ...common, value })}</div>`;
}

function hintOf({ texts }: View, kind: Kind): string | undefined {
  if (kind === 'lines') return texts.perLine;
  if (kind === 'pairs') return texts.pairPerLine;
  return kind === 'json' ? texts.asJson : undefined;
}

interface InputOptions {
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
  readonly required: boolean;
  readonly first: boolean;
  /** Whether something beside it says more of it. */
  readonly hinted: boolean;
  readonly value: unknown;
}

function inputOf(
  view: View,
  field: SchemaField,
  { id, name, kind, required, first, hinted, value }: InputOptions,
): Markup {
  const attributes = html`id="${id}" name="${name}" data-kind="${kind}"${required && html` required`}${first && html` autofocus`}${hinted && html` aria-describedby="${id}-hint"`}`;
  const fallback = field.default === undefined ? '' : `${view.texts.defaultIs}: ${String(field.default)}`;
  if (kind === 'boolean') return select(attributes, { options: ['true', 'false'], value, empty: fallback });
  if (field.options && kind === 'text') return select(attributes, { options: field.options, value, empty: fallback });
  if (kind === 'number')
    return html`<input ${attributes} type="number" step="any" value="${textOf(value)}" placeholder="${fallback}">`;
  if (field.type === 'password' || /password$/i.test(name))
    return html`<input ${attributes} type="password" autocomplete="new-password">`;
  const rows = kind === 'text' ? (isLong(name, value) ? 4 : 1) : kind === 'json' ? 5 : 3;
  if (rows === 1)
    return html`<input ${attributes} type="text" value="${textOf(value)}" placeholder="${fallback}" autocomplete="off" spellcheck="false">`;
  return html`<textarea ${attributes} rows="${rows}" class="code" spellcheck="false">\n${editable(kind, value)}</textarea>`;
}

/** An input of one line would drop line breaks without a word. */
const isLong = (name: string, value: unknown) =>
  (typeof value === 'string' && /[\r\n]/.test(value)) || name === 'value';
const textOf = (value: unknown) => (isSet(value) ? String(value) : '');

function editable(kind: Kind, value: unknown): string {
  if (!isSet(value)) return '';
  if (kind === 'lines') return (value as string[]).join('\n');
  if (kind === 'pairs')
    return Object.entries(value as object)
      .map(([key, item]) => `${key}=${item}`)
      .join('\n');
  return kind === 'json' ? JSON.stringify(value, undefined, 2) : String(value);
}

interface SelectOptions {
  readonly options: readonly string[];
  readonly value: unknown;
  readonly empty: string;
}

function select(attributes: Markup, { options, value, empty }: SelectOptions): Markup {
  const chosen = value === undefined || value === null ? '' : String(value);
  const all = chosen && !options.includes(chosen) ? [...options, chosen] : options;
  return html`<select ${attributes}><option value="">${empty || '–'}</option>${all.map(
    option => html`<option value="${option}"${option === chosen && html` selected`}>${option}</option>`,
  )}</select>`;
}
