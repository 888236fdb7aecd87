/**
 * Stored and reflected script: whatever stands in any field of any type, in names, keys, links, queries or paths, a page has
 * the same elements and attributes as with harmless text, and no address that a browser would run.
 */
import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { innerType, type SchemaField } from '@drover/api';
import type { ApiRequest, V3Resource } from '../api/behaviour.ts';
import { openTestApi, type TestApi } from '../api/fixture.ts';
import { schemasFor, type V3Schema } from '../api/v3-schema.ts';
import type { Caller } from '../http/exchange.ts';
import { renderError, renderPage } from './render.ts';

const corpus = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)' x='",
  '" autofocus onfocus="alert(1)',
  '</textarea><script>alert(1)</script>',
  '</title></style></pre><svg/onload=alert(1)>',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '--><!--<svg onload=alert(1)>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '`;alert(1);//',
  '\u2028<iframe srcdoc="<script>alert(1)</script>">',
  '<a href="javascript:alert(1)">x</a>\n<math><mi//xlink:href="data:x,alert(1)">',
];

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

function requestOf(text: string): ApiRequest {
  const request = new IncomingMessage(new Socket());
  const path = `/v3/things/${encodeURIComponent(text)}`;
  const query = new URLSearchParams({ name: text, [text]: 'x' });
  Object.assign(request, { url: `${path}?${query}`, method: 'GET' });
  Object.assign(request.headers, { 'accept-language': text, accept: 'text/html' });
  const caller = { userId: text, username: text, groups: [], extra: {}, tokenId: text, via: 'cookie' } as Caller;
  const exchange = { request, path, query, search: `?${query}` } as unknown as ApiRequest['exchange'];
  return { deps: api.deps, caller, base: api.url, versionPath: '/v3', exchange };
}

/** A resource whose every field holds the text, in keys as in values. */
function filled(schema: V3Schema, text: string, structs: ReadonlyMap<string, V3Schema>): V3Resource {
  const valueFor = ({ type }: Pick<SchemaField, 'type'>, depth: number): unknown => {
    if (type.startsWith('array[')) return [valueFor({ type: type.slice(6, -1) }, depth), text];
    if (type.startsWith('map[')) return { [text]: valueFor({ type: type.slice(4, -1) }, depth), b: text };
    const struct = depth < 4 ? structs.get(innerType(type)) : undefined;
    if (!struct) return text;
    return Object.fromEntries(
      Object.entries(struct.resourceFields).map(([name, one]) => [name, valueFor(one, depth + 1)]),
    );
  };
  const data = Object.fromEntries(
    Object.entries(schema.resourceFields).map(([name, field]) => [name, valueFor(field, 0)]),
  );
  const links = { self: text, update: text, remove: text, [text]: text };
  return { ...data, [`zz${text}`]: text, id: text, type: schema.id, links, actions: { [text]: text } };
}

/** The tags of a page with the names of their attributes; throws for anything that our templates could not have written. */
function skeletonOf(page: string): string[] {
  const out: string[] = [];
  let rest = page;
  while (rest !== '') {
    const text = /^[^<>]+/.exec(rest)?.[0];
    const tag = /^<(!doctype html|\/?[a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*>/.exec(rest);
    assert.ok(text ?? tag, `markup that is not ours: ${rest.slice(0, 120)}`);
    if (tag) {
      const attributes = [...tag[2]!.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)];
      for (const [, name = '', value = ''] of attributes) {
        assert.doesNotMatch(name, /^(on.*|style|srcdoc)$/);
        if (/^(href|src|data-target|action)$/.test(name))
          assert.match(value, /^(https:\/\/|\/(?!\/)|#$|data:,$)/, tag[0]);
      }
      out.push(`${tag[1]} ${attributes.map(([, name]) => name).join(' ')}`);
    }
    rest = rest.slice((text ?? tag![0]).length);
  }
  return out;
}

for (const [i, text] of corpus.entries()) {
  const plain = text.includes('\n') ? 'harmless\ntext' : 'harmless text';
  test(`no page changes its shape for corpus text ${i}: ${JSON.stringify(text)}`, () => {
    const structs = new Map(schemasFor(requestOf('x')).map(schema => [schema.id, schema]));
    for (const schema of structs.values()) {
      const pages = [text, plain].map(each => {
        const request = requestOf(each);
        const one = filled(schema, each, structs);
        const sort = { name: each, order: each, reverse: each, links: { name: each } };
        const collection = {
          type: 'collection',
          resourceType: schema.id,
          links: { self: each },
          createTypes: { [schema.id]: each },
          actions: { [each]: each },
          pagination: { limit: 1, total: 9, partial: true, first: each, next: each, last: each },
          sort,
          filters: {
            name: [
              { modifier: 'eq', value: each },
              { modifier: each, value: each },
            ],
          },
          data: [one, one],
        };
        return [renderPage(request, one), renderPage(request, collection)].map(({ text: page }) => skeletonOf(page));
      });
      assert.deepEqual(pages[0], pages[1], schema.id);
    }
  });
}

test('errors repeat what was sent as text alone', () => {
  for (const text of corpus) {
    const pages = [text, 'harmless'].map(each => {
      const error = { type: 'error' as const, status: 404, code: each, message: each, fieldName: each };
      return skeletonOf(renderError(requestOf(each).exchange.request, error)!.text);
    });
    assert.deepEqual(pages[0], pages[1]);
  }
});
