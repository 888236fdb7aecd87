/** What may not stand in tracked files is found, with its line; what only looks like it is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textFaults } from './tracked-files.ts';

// Put together from parts, since this file is tracked too.
const bad: Readonly<Record<string, string>> = {
  'a path of one machine': `one\nsee ${'/wo'}${'rk/main/x'}\n`,
  'a home directory': `cd ${'/ro'}${'ot/x'}`,
  'a registry host': `https://registry.${'npmjs'}.org/x`,
  'a private key': `-----BEGIN ${'PRIVATE'} KEY-----\nMIIE`,
  'a merge conflict': `${'<'.repeat(7)} HEAD\n`,
};

for (const [what, text] of Object.entries(bad)) {
  test(`${what} is found`, () => {
    assert.equal(textFaults('docs/x.md', text).length, 1);
  });
}

test('the line is named', () => {
  assert.match(textFaults('docs/x.md', bad['a path of one machine']!)[0]!, /^docs\/x\.md:2: /);
});

test('paths and words that only look alike pass', () => {
  const alike = [`import x from '..${'/wo'}${'rk/x.ts'}';`, `https://example.com${'/ro'}${'ot/x'}`, 'homework/x'];
  const text = `${alike.join('\n')}\n-----BEGIN CERTIFICATE-----\nMII\n`;
  assert.deepEqual(textFaults('a.ts', text), []);
});
