/** What an agent says of itself is bounded and harmless, whatever it answers. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { askAgent, parseView } from './agent-view.ts';
import type { Upstream } from './upstream.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');

test('findings are read as text, within bounds, and the clocks are compared', () => {
  const finding = { check: 'dns\u001b[31m', ok: 'yes', detail: 'x'.repeat(5000) };
  const body = { version: 'v1', time: '2026-01-01T00:01:00Z', findings: Array(100).fill(finding).with(1, null) };
  const view = parseView('c-1', JSON.stringify(body), nowMs);
  assert.deepEqual([view.agentVersion, view.clockAheadMs, view.findings.length], ['v1', 60_000, 32]);
  assert.deepEqual(view.findings[0], { check: 'dns [31m', ok: false, detail: 'x'.repeat(1000) });
  assert.deepEqual(view.findings[1], { check: '', ok: false, detail: '' });
});

for (const text of ['', 'null', '[]', '{"findings":[]}', '<html>', '{"time":"2026-01-01T00:00:00Z","findings":{}}'])
  test(`an agent that answers ${text || 'nothing'} is told from one that sees nothing`, () =>
    assert.throws(() => parseView('c-1', text, nowMs), { reason: 'ServiceUnavailable', message: /does not tell/ }));

function upstreamTo(answer: string): Upstream {
  const server = createServer((_, response) => response.end(answer));
  const dialer = async () => {
    const [near, far] = duplexPair();
    server.emit('connection', far);
    return near;
  };
  return { clusterId: 'c-1', kind: 'agent', origin: 'http://kubernetes', dialer };
}

test('an answer that does not end is cut off', async () => {
  await assert.rejects(askAgent(upstreamTo('x'.repeat(1 << 20))), { message: /more than 65536 bytes/ });
});

test('a cluster without an agent of ours has nobody to ask', async () => {
  await assert.rejects(askAgent({ clusterId: 'local', kind: 'local', origin: 'https://127.0.0.1:1' }), {
    status: 405,
    message: /no agent of ours/,
  });
});
