/** The page of one resource: its state, what can be done with it, its fields, where it leads, and its JSON. */
import type { V3Data } from '@drover/api';
import type { V3Resource } from '../api/behaviour.ts';
import type { V3Schema } from '../api/v3-schema.ts';
import { inputFieldsOf } from './action-input.ts';
import { curlLine } from './curl.ts';
import { formDialog } from './form.ts';
import { copyable, section } from './frame.ts';
import { html, type Markup, safeUrl } from './html.ts';
import { isSet, showState, showValue } from './value.ts';
import type { View } from './view.ts';

/** Said elsewhere on the page. */
const hidden = new Set(['type', 'baseType', 'links', 'actions', 'state', 'transitioning', 'transitioningMessage']);

export function resourcePage(view: View, data: V3Resource): Markup {
  const { texts, schemas } = view;
  const schema = schemas.get(String(data['type'] ?? ''));
  const self = String(data.links?.['self'] ?? `${view.url.origin}${view.url.pathname}`);
  const message = String(data['transitioningMessage'] ?? '');
  return html`<div class="heading"><h1>${titleOf(data)}</h1>${showState(data)}
<div class="does">${doings(view, data, schema)}</div></div>
${message && html`<p class="message">${message}</p>`}
${section(texts.fields, fieldList(view, data, schema))}
${section(texts.links, linkList(data.links ?? {}))}
${section(texts.fromTerminal, copyable(texts, curlLine('GET', self)))}
${section(texts.asJson, copyable(texts, JSON.stringify(data, undefined, 2)))}`;
}

export function titleOf(data: V3Data): string {
  return String(data['name'] || data['displayName'] || data['username'] || data['id'] || data['type'] || '');
}

function fieldList(view: View, data: V3Data, schema: V3Schema | undefined): Markup {
  const fields = schema?.resourceFields ?? {};
  const names = Object.keys(data).filter(
    name => !hidden.has(name) && !(name.endsWith('TS') && name.slice(0, -2) in data),
  );
  const first = ['id', 'name', 'description'];
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const empty = names.filter(name => !isSet(data[name]));
  return html`<dl class="fields">${names
    .filter(name => isSet(data[name]))
    .map(name => html`<div><dt>${name}</dt><dd>${showValue(view, data[name], fields[name])}</dd></div>`)}</dl>
${empty.length > 0 && html`<details class="empty"><summary>${view.texts.emptyFields} (${empty.length})</summary><p>${empty.join(', ')}</p></details>`}`;
}

function linkList(links: Readonly<Record<string, string>>): Markup {
  // `update` and `remove` are buttons: to follow them leads nowhere else; nor does a page lead to a WebSocket.
  const leading = Object.entries(links).filter(
    ([name, url]) => (name === 'self' || url !== links['self']) && !/^wss?:/.test(url),
  );
  return html`<ul class="links">${leading.map(([name, url]) => html`<li><a href="${safeUrl(url)}">${name}</a></li>`)}</ul>`;
}

/** Buttons with their dialogs, for what the resource's own links and actions offer this caller. */
function doings(view: View, data: V3Resource, schema: V3Schema | undefined): Markup {
  const { texts } = view;
  const { links = {}, actions = {} } = data;
  const changeable = Object.entries(schema?.resourceFields ?? {}).filter(([, field]) => field.update);
  const { collection } = schema?.links ?? {};
  const after = collection ? (new URL(collection).pathname as `/${string}`) : '/v3';
  return html`${Object.keys(actions).map(name => html`<button type="button" data-dialog="action-${name}">${name}</button>`)}
${links['update'] && html`<button type="button" data-dialog="edit">${texts.edit}</button>`}
${links['remove'] && html`<button type="button" class="danger" data-dialog="delete">${texts.delete}</button>`}
${Object.entries(actions).map(([name, target]) => actionDialog(view, { name, target, declared: schema?.resourceActions[name] }))}
${
  links['update'] &&
  formDialog(view, {
    id: 'edit',
    heading: `${texts.edit} ${titleOf(data)}`,
    method: 'PUT',
    target: links['update'],
    fields: Object.fromEntries(changeable),
    data,
    lead: changeable.length > 0 ? undefined : texts.noFields,
    after: 'reload',
    submit: texts.send,
  })
}
${
  links['remove'] &&
  formDialog(view, {
    id: 'delete',
    heading: `${texts.delete} ${titleOf(data)}`,
    method: 'DELETE',
    target: links['remove'],
    lead: texts.deleteWarning,
    after,
    submit: texts.delete,
  })
}`;
}

interface DialogOfAction {
  readonly name: string;
  readonly target: string;
  readonly declared: { readonly input?: string; readonly output?: string } | undefined;
}

export function actionDialog(view: View, { name, target, declared }: DialogOfAction): Markup {
  const { texts, schemas } = view;
  const fields = inputFieldsOf(view, declared?.input);
  const isResource = declared?.output !== undefined && schemas.get(declared.output)?.links['collection'] !== undefined;
  return formDialog(view, {
    id: `action-${name}`,
    heading: name,
    method: 'POST',
    target,
    fields,
    lead: fields ? undefined : texts.noInput,
    after: declared?.output === undefined || isResource ? 'reload' : 'show',
    submit: texts.send,
  });
}
