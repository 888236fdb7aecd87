/** Values as people read them: each kind of value has its form, and nothing that is there is left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showState, showValue } from './value.ts';
import type { View } from './view.ts';

const schema = { links: { collection: 'https://h/v3/users' }, resourceMethods: ['GET'] };
const view = {
  request: { base: 'https://h' },
  texts: { yes: 'yes', no: 'no' },
  schemas: new Map([['user', schema]]),
} as unknown as View;

const cases: [what: string, value: unknown, type: string, shown: RegExp][] = [
  ['nothing', null, 'string', /^<span class="dim">–<\/span>$/],
  ['an empty list', [], 'array[string]', /^<span class="dim">–<\/span>$/],
  ['zero', 0, 'int', /0/],
  ['false', false, 'boolean', /^no$/],
  [
    'a time',
    '2026-11-23T18:31:24Z',
    'date',
    /^<time datetime="2026-11-23T18:31:24Z"[^>]*>2026-11-23 18:31 UTC<\/time>$/,
  ],
  ['a time that is none', '2026-99-99T18:31:24Z', 'date', /^2026-99-99T18:31:24Z$/],
  ['a reference', 'u-1', 'reference[user]', /^<a href="https:\/\/h\/v3\/users\/u-1">u-1<\/a>$/],
  ['a reference of another version', 'u-1', 'reference[/v3/schemas/user]', /<a href="https:\/\/h\/v3\/users\/u-1">/],
  [
    'a reference from inside a cluster',
    'c-1:p-1',
    'reference[/v3/schemas/project]',
    /"https:\/\/h\/v3\/projects\/c-1:p-1"/,
  ],
  ['a reference to what is not served', 'x', 'reference[thing]', /^x$/],
  ['references', ['u-1'], 'array[reference[user]]', /<li><a href="https:\/\/h\/v3\/users\/u-1">/],
  ['lines', 'a\nb', 'string', /^<pre class="value">\na\nb<\/pre>$/],
  [
    'narrow structs',
    [
      { a: 1, b: null },
      { a: 2, c: ['x', 'y'] },
    ],
    'array[s]',
    /<th scope="col">a<\/th><th scope="col">c<\/th><\/tr>/,
  ],
  [
    'deep structs',
    [{ name: 'web', ports: [{ port: 80 }] }],
    'array[s]',
    /<details><summary>web<\/summary>[\s\S]*<th scope="col">port<\/th>/,
  ],
  ['deep structs without a name', [{ a: { b: 1 } }], 'array[s]', /<summary>1<\/summary>/],
  ['a map in a map', { a: { b: 'c' } }, 'json', /class="deep"><dt>a<\/dt>[\s\S]*<dt>b<\/dt><dd>c<\/dd>/],
  ['an empty text in a map', { a: '' }, 'map[string]', /<dt>a<\/dt>/],
];
for (const [what, value, type, shown] of cases) {
  test(`${what} is shown`, () => assert.match(String(showValue(view, value, { type })), shown));
}

test('a state that waits or fails looks other than one that is well', () => {
  const mood = (state: string, transitioning: string) =>
    /class="state (\w+)"/.exec(String(showState({ state, transitioning })))?.[1];
  assert.deepEqual(
    [mood('active', 'no'), mood('pending', 'yes'), mood('unavailable', 'error'), mood('unknown', 'no')],
    ['good', 'waiting', 'bad', 'idle'],
  );
  assert.equal(showState({}), undefined);
});
