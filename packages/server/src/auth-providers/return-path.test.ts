/** Where a sign-in may lead: nothing that a browser would take for another host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { returnPath } from './return-path.ts';

const base = 'https://drover.test:8443';

test('paths and addresses of this server stay what they are', () => {
  for (const path of ['/', '/ui/c/local?x=1#y', '/v3/users?me=true', '/dashboard/auth/login?requestId=a'])
    assert.deepEqual([returnPath(path, base), returnPath(base + path, base)], [path, path]);
});

test('everything else leads to the beginning', () => {
  const elsewhere = [
    ...[
      'https://evil.example/',
      'https://drover.test/',
      'http://drover.test:8443/',
      '//evil.example',
      '///evil.example',
    ],
    ...['/\\evil.example', '\\\\evil.example', '/\t/evil.example', '/\n/evil.example', ' /x', 'evil.example', 'x/y'],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'https://user@drover.test:8443/',
      'https://drover.test:8443@evil.example/',
    ],
    ...['/..//evil.example', `/${'x'.repeat(3000)}`, '', undefined, null],
  ];
  for (const asked of elsewhere) assert.equal(returnPath(asked, base), '/', String(asked));
});

test('whatever is asked for, a browser stays here', () => {
  const part = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    ':',
    '@',
    '?',
    '#',
    '%2f',
    'evil.example',
    'https',
    'javascript',
    '\t',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), parts => {
      const path = returnPath(parts.join(''), base);
      assert.ok(path.startsWith('/') && !path.startsWith('//'));
      assert.equal(new URL(path, base).origin, base);
    }),
  );
});
