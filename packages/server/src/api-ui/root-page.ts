/** The pages of the root, of the list of schemas, and of one schema. */
import type { SchemaField } from '@drover/api';
import type { V3Schema } from '../api/v3-schema.ts';
import { openApiName } from '../openapi/answer.ts';
import { curlLine } from './curl.ts';
import { copyable, section } from './frame.ts';
import { html, type Markup, safeUrl } from './html.ts';
import type { View } from './view.ts';

/** Every collection of the version or context, by name. */
export function rootPage(view: View): Markup {
  const { texts, request, url } = view;
  const context = request.context;
  const types = [...view.schemas.values()]
    .filter(({ id, collectionMethods }) => collectionMethods.includes('GET') && id !== 'subscribe')
    .sort((a, b) => (a.pluralName < b.pluralName ? -1 : 1));
  return html`<div class="heading"><h1>${context ? `${context.type} ${context.id}` : texts.title}</h1></div>
<input type="search" class="find" data-find="types" placeholder="${texts.findType}" aria-label="${texts.findType}">
<ul class="types" id="types">${types.map(
    schema =>
      html`<li data-word="${schema.pluralName}"><a href="${safeUrl(collectionIn(view, schema))}">${schema.pluralName}</a></li>`,
  )}</ul>
${section(texts.fromTerminal, copyable(texts, curlLine('GET', `${url.origin}${url.pathname}`)))}
<p class="more"><a href="${safeUrl(`${request.base}${request.versionPath}/schemas`)}">${texts.schemas}</a>${
    !context && html` · <a href="/v3/${openApiName}">${texts.openApi}</a>`
  }</p>`;
}

/** In a context the collection below it, which holds only what is of it. */
function collectionIn({ request }: View, { links, pluralName }: V3Schema): string {
  const below = `${request.base}${request.versionPath}/`;
  const collection = links['collection'] ?? '';
  return request.context && !collection.startsWith(below) ? `${below}${pluralName.toLowerCase()}` : collection;
}

export function schemaListPage(view: View): Markup {
  const { texts } = view;
  const schemas = [...view.schemas.values()];
  return html`<div class="heading"><h1>${texts.schemas}</h1><span class="count">${texts.count(schemas.length, schemas.length)}</span></div>
<input type="search" class="find" data-find="types" placeholder="${texts.findType}" aria-label="${texts.findType}">
<ul class="types" id="types">${schemas.map(({ id, links }) => html`<li data-word="${id}"><a href="${safeUrl(links['self'] ?? '')}">${id}</a></li>`)}</ul>
${section(texts.fromTerminal, copyable(texts, curlLine('GET', `${view.url.origin}${view.url.pathname}`)))}`;
}

export function schemaPage(view: View, schema: V3Schema): Markup {
  const { texts } = view;
  const fields = Object.entries(schema.resourceFields);
  const methods = [
    ...schema.collectionMethods.map(method => `${method} ${schema.pluralName}`),
    ...schema.resourceMethods.map(method => `${method} ${schema.id}`),
  ];
  const actions = [...Object.keys(schema.collectionActions), ...Object.keys(schema.resourceActions)];
  const collection = schema.id === 'subscribe' ? undefined : schema.links['collection'];
  return html`<div class="heading"><h1>${schema.id}</h1>${collection && html`<div class="does"><a href="${safeUrl(collection)}">${schema.pluralName}</a></div>`}</div>
${
  fields.length > 0 &&
  section(
    texts.fields,
    html`<div class="scroll"><table>
<thead><tr><th scope="col">${texts.field}</th><th scope="col">${texts.type}</th><th scope="col">${texts.rules}</th></tr></thead>
<tbody>${fields.map(([name, field]) => html`<tr><td><b>${name}</b></td><td>${typeName(view, field)}</td><td>${rulesOf(view, field)}</td></tr>`)}</tbody>
</table></div>`,
  )
}
${methods.length > 0 && section(texts.methods, html`<ul class="plain">${methods.map(method => html`<li><code>${method}</code></li>`)}</ul>`)}
${actions.length > 0 && section(texts.actions, html`<ul class="plain">${actions.map(action => html`<li><code>${action}</code></li>`)}</ul>`)}
${section(texts.asJson, copyable(texts, JSON.stringify(schema, undefined, 2)))}`;
}

function typeName(view: View, { type }: SchemaField): Markup {
  const inner = /([A-Za-z]+)\]*$/.exec(type)?.[1] ?? type;
  const to = view.schemas.get(inner)?.links['self'];
  return to ? html`<a href="${safeUrl(to)}"><code>${type}</code></a>` : html`<code>${type}</code>`;
}

function rulesOf({ texts }: View, field: SchemaField): string {
  const rules: string[] = [];
  if (field.required) rules.push(texts.required);
  if (!field.create && !field.update) rules.push(texts.readOnly);
  else if (!field.update) rules.push(texts.onCreateOnly);
  if (field.default !== undefined) rules.push(`${texts.defaultIs}: ${JSON.stringify(field.default)}`);
  if (field.options) rules.push(field.options.join(' | '));
  if (field.description) rules.push(field.description);
  return rules.join(' · ');
}
