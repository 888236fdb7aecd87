/** Who the server is, whatever its certificate says: only the key decides, and nobody who lacks it is told anything. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ensureCa, issueCert } from '@drover/engine';
import { requireServerIdentity } from './server-identity.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-identity-'));
const ca = await ensureCa(dir, 'ca', 'test');
const pair = await issueCert(ca, { commonName: 'server', ips: ['127.0.0.1'], usages: ['server'] });
const own = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const keyOf = ({ publicKey }: typeof own) => publicKey.export({ format: 'jwk' }).x!;
const proof = ({ privateKey }: typeof own, nonce: string) =>
  sign(null, Buffer.from(`drover server identity\n${nonce}`), privateKey).toString('base64url');

let answer: (nonce: string) => { status: number; body: string };
const server = createServer({ cert: pair.cert, key: pair.key.reveal() }, (request, response) => {
  const { status, body } = answer(new URL(request.url!, 'https://x').searchParams.get('nonce')!);
  response.writeHead(status).end(body);
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(async () => {
  server.close();
  await rm(dir, { recursive: true });
});
const expected = { serverKey: keyOf(own), ca: ca.cert };
const says = (body: unknown, status = 200) => ({ status, body: JSON.stringify(body) });

test('the server that has the key is known again, whatever else it is', async () => {
  answer = nonce => says({ publicKey: 'anything', signature: proof(own, nonce) });
  await requireServerIdentity(url, expected);
});

test('a server with a certificate that is trusted and another key is refused', async () => {
  answer = nonce => says({ publicKey: keyOf(own), signature: proof(other, nonce) });
  await assert.rejects(requireServerIdentity(url, expected), /is not the server whose manifest was applied/);
});

test('a proof that was heard before is none', async () => {
  let heard = '';
  answer = nonce => says({ signature: (heard ||= proof(own, nonce)) });
  await requireServerIdentity(url, expected);
  await assert.rejects(requireServerIdentity(url, expected), /is not the server whose manifest was applied/);
});

test('no proof is a refusal, in words', async () => {
  for (const [given, text] of [
    [says({}), /200 without a signature/],
    [says({ signature: 'x' }, 404), /404 without a signature/],
    [{ status: 200, body: '<html>' }, /200 without a signature/],
    [{ status: 200, body: 'x'.repeat(100_000) }, /too long/],
    [says({ signature: '' }), /is not the server/],
  ] as const) {
    answer = () => given;
    await assert.rejects(requireServerIdentity(url, expected), text);
  }
});

test('a certificate that is not trusted is refused before anything is asked', async () => {
  answer = () => assert.fail('asked');
  await assert.rejects(requireServerIdentity(url, { serverKey: keyOf(own) }), /did not prove who it is/);
});
