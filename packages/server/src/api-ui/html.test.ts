/** Markup: only what stands in a template is markup; every value is text, in elements and in attributes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html, safeUrl, type Value } from './html.ts';

test('a value becomes text, markup of another template stays, what is absent leaves nothing', () => {
  const inner = html`<i>${1}</i>`;
  assert.equal(
    String(html`<b title="${`"'`}">${'<i>&'}${inner}${[inner, '>']}${undefined}${false}${null}</b>`),
    '<b title="&quot;&#39;">&lt;i&gt;&amp;<i>1</i><i>1</i>&gt;</b>',
  );
});

test('whatever the text, no character of it can begin a tag or end an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const out = String(html`${text}`);
      assert.doesNotMatch(out, /[<>"']/);
      const back = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' } as Record<string, string>;
      assert.equal(
        out.replace(/&(?:lt|gt|quot|#39|amp);/g, entity => back[entity]!),
        text,
      );
    }),
  );
});

test('data that looks like markup of ours is text', () => {
  for (const forged of [{ toString: () => '<b>' }, JSON.parse('{"#text":"<b>"}')])
    assert.doesNotMatch(String(html`${forged as Value}`), /</);
});

for (const url of ['https://a/b', 'http://a', '/v3/x?y=z']) {
  test(`${url} may be a link`, () => assert.equal(safeUrl(url), url));
}
for (const url of [
  'javascript:alert(1)',
  ' javascript:alert(1)',
  'data:text/html,x',
  '//evil.test',
  '/\\evil.test',
  'x',
  '',
])
  test(`"${url}" is no address for a link`, () => assert.equal(safeUrl(url), '#'));
