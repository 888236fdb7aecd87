/** The audit flags: what they mean together, and that a wrong one is named with what would be right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAudit } from './audit-config.ts';

const parse = (given: Record<string, string>) => parseAudit(name => given[name]);

test('without a place there is no audit log', () => {
  assert.equal(parse({}), undefined);
});

test('a file has bounds of its own accord', () => {
  assert.deepEqual(parse({ 'audit-log': '/var/log/audit.log' }), {
    level: 0,
    file: { path: '/var/log/audit.log', maxBytes: 100 << 20, maxAgeMs: 10 * 86_400_000, maxBackups: 10 },
  });
  assert.equal(parse({ 'audit-log': '-' })?.file?.path, '-');
});

test('a webhook may stand beside it or alone', () => {
  const { webhook, file, level } = parse({
    'audit-webhook': 'https://logs.example.com/in?x=1',
    'audit-webhook-token-file': '/t',
    'audit-level': '2',
  })!;
  assert.deepEqual(
    [webhook?.url.href, webhook?.tokenFile, file, level],
    ['https://logs.example.com/in?x=1', '/t', undefined, 2],
  );
  assert.equal(parse({ 'audit-webhook': 'http://127.0.0.1:9/' })?.webhook?.url.port, '9');
});

for (const [given, message] of [
  [{ 'audit-level': '2' }, /^--audit-level: has a use only with/],
  [{ 'audit-log': '-', 'audit-level': '4' }, /^--audit-level: "4" must be a whole number from 0 to 3/],
  [{ 'audit-log': '-', 'audit-max-size': '1.5' }, /^--audit-max-size/],
  [{ 'audit-log': '-', 'audit-max-size': '0' }, /^--audit-max-size/],
  [{ 'audit-log': '-', 'audit-max-age': '-1' }, /^--audit-max-age/],
  [{ 'audit-webhook': 'http://logs.example.com/' }, /^--audit-webhook: must be an https URL/],
  [{ 'audit-webhook': 'logs' }, /^--audit-webhook/],
  [{ 'audit-webhook': 'https://a:canary@logs.example.com/' }, /^--audit-webhook: must hold no password/],
] as [Record<string, string>, RegExp][]) {
  test(`refused: ${JSON.stringify(given).replace('canary', '…')}`, () => {
    assert.throws(
      () => parse(given),
      (error: Error) => message.test(error.message) && !error.message.includes('canary'),
    );
  });
}
