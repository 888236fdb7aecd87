/** Header hygiene: whatever a client sends, only our identity and credentials reach a cluster, and no cookie comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addToAnswer, assertIdentity, dropFromAnswer, outgoingHeaders } from './headers.ts';

const identity = [
  ['Impersonate-User', 'u-1'],
  ['Impersonate-Group', 'system:authenticated'],
] as const;
const named = (headers: readonly string[], wanted: RegExp) => {
  const found: string[] = [];
  for (let i = 0; i < headers.length; i += 2) if (wanted.test(headers[i]!)) found.push(headers[i + 1]!);
  return found;
};
const out = (raw: string[], authorization?: string) => outgoingHeaders(raw, { identity, authorization });

test('Connection can not name our own headers away', () => {
  for (const value of ['Impersonate-User', 'close, impersonate-USER ,Impersonate-Group', 'Authorization']) {
    const headers = out(['Connection', value, 'Accept', '*/*'], 'Bearer ours');
    assert.deepEqual(named(headers, /^impersonate-/i), ['u-1', 'system:authenticated']);
    assert.deepEqual(named(headers, /^authorization$/i), ['Bearer ours']);
  }
});

test('what Connection names is taken out of what the client sent, with all hop-by-hop headers', () => {
  const raw = ['Connection', 'X-Hop, keep-alive', 'X-Hop', '1', 'TE', 'trailers', 'Keep-Alive', '5', 'X-Kept', '2'];
  assert.deepEqual(out(raw).slice(0, 2), ['X-Kept', '2']);
  assert.deepEqual(named(out(raw), /^(x-hop|te|keep-alive|connection)$/i), []);
});

test('credentials and claims of the client are taken out in every spelling', () => {
  const raw = [
    ...['Authorization', 'Bearer a:b', 'AUTHORIZATION', 'Basic c', 'Cookie', 'R_SESS=a', 'cookie', 'CSRF=b'],
    ...['impersonate-user', 'admin', 'IMPERSONATE-GROUP', 'system:masters', 'Impersonate-Extra-Scopes', 'all'],
    ...['Impersonate-Uid', '0', 'X-Remote-User', 'admin', 'X-Remote-Group', 'system:masters'],
    ...['X-Forwarded-For', '1.1.1.1', 'Forwarded', 'for=1.1.1.1', 'Host', 'evil', 'X-API-Tunnel-Token', 't'],
    ...['Sec-WebSocket-Protocol', 'v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0'],
  ];
  assert.deepEqual(out(raw), [
    ...['Sec-WebSocket-Protocol', 'v5.channel.k8s.io', 'X-Forwarded-Proto', 'https'],
    ...identity.flat(),
  ]);
});

test('without exactly one identity nothing is sent', () => {
  const add = (list: [string, string][]) => () => outgoingHeaders([], { identity: list });
  assert.throws(add([]), { status: 500 });
  assert.throws(add([['Impersonate-Group', 'a']]), { status: 500 });
  assert.throws(add([['Impersonate-User', '']]), { status: 500 });
  assert.throws(add([['Impersonate-User', 'a'], ['impersonate-user', 'b']]), { status: 500 }); // biome-ignore format: one line reads better
  assert.throws(() => assertIdentity(['Accept', '*/*']), { status: 500 });
});

test('any headers at all: only our identity, one credential, no line breaks', () => {
  const names = [
    'Connection',
    'Impersonate-User',
    'impersonate-group',
    'Authorization',
    'Cookie',
    'Impersonate-Extra-a',
  ];
  const name = fc.oneof(
    fc.constantFrom(...names),
    fc.constantFrom(...names).map(text => text.toUpperCase()),
    fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/),
  );
  const value = fc.oneof(fc.string(), fc.constantFrom('Impersonate-User', 'close, Authorization', 'Impersonate-Group'));
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), list => {
      let headers: string[];
      try {
        headers = out(list.flat(), 'Bearer ours');
      } catch (error) {
        assert.match(String(error), /line break/);
        return;
      }
      assert.deepEqual(named(headers, /^impersonate-/i), ['u-1', 'system:authenticated']);
      assert.deepEqual(named(headers, /^authorization$/i), ['Bearer ours']);
      assert.deepEqual(named(headers, /^(cookie|connection)$/i), []);
      assert.ok(!headers.some(text => /[\r\n\0]/.test(text)));
    }),
    { numRuns: 20_000 },
  );
});

test('an answer can set no cookie and no policy of its own', () => {
  for (const dropped of ['set-cookie', 'content-security-policy', 'clear-site-data'])
    assert.ok(dropFromAnswer(dropped));
  assert.ok(!dropFromAnswer('content-type'));
  assert.equal(addToAnswer[addToAnswer.indexOf('Content-Security-Policy') + 1], 'sandbox');
});
