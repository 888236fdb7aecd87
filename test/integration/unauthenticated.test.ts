/**
 * Noise from outside: whatever somebody sends who has not signed in, to whatever answers him, the server neither falls over
 * nor fills its memory, which is kept small here on purpose, nor says that something went wrong inside.
 */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { residentMb } from '../bench/process-figures.ts';
import { Noise, runs, seed } from '../noise.ts';
import { startServer } from '../server-process.ts';

const paths = [
  '/', '/ping', '/healthz', '/readyz?verbose', '/metrics', '/v3', '/v3/', '/v3/settings/cacerts', '/v3/settings/first-login',
  '/v3-public', '/v3-public/authproviders', '/v3-public/localProviders/local?action=login', '/v1-public/login', '/v1/logout',
  '/v3/tokens?action=logout', '/v3/connect', '/v3/connect/register', '/v3/connect/identity?nonce=abc', '/v3/import/abc_c-abcde.yaml',
  '/v1-auth/oidc', '/verify-auth?code=a&state=abcdefghijklmnopqrstuvwx', '/v1-saml/okta/saml/acs', '/v1-saml/okta/saml/metadata',
  '/v3-public/authTokens', '/v3-public/authTokens/abcdefghijklmnopqrstuvwxyz', '/dashboard/auth/login?requestId=abcdefghijklmnopqrstuvwxyz',
  '/k8s/clusters/c-abcde/api', '/v3/subscribe', '/v3/users?action=changepassword', '/rancherversion', '/no/such/thing',
]; // biome-ignore format: a list of words
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE'];
const types = ['application/json', 'application/yaml', 'text/html', 'application/x-www-form-urlencoded', 'x/y', ''];

const login = { username: 'admin', password: 'x', responseType: 'json' };
const bodies: readonly (() => string | Buffer)[] = [
  () => JSON.stringify(login),
  () => '['.repeat(400_000),
  () => `{"username":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  () => `{"username":"${'a'.repeat(900_000)}"}`,
  () => `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: [*a,*a,*a,*a,*a,*a]`).join('\n')}`,
  () => JSON.stringify({ ...login, username: { $ne: null }, password: ['x'], __proto__: { a: 1 } }),
  () => gzipSync(Buffer.alloc(3_000_000)),
  () => Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc0]),
  () => 'x'.repeat(3_000_000),
  () => '',
];
const headerNames = [
  'Authorization',
  'Cookie',
  'X-Forwarded-Host',
  'Origin',
  'Accept',
  'User-Agent',
  'X-API-Tunnel-Token',
];
const headerValues = [
  'Bearer a:b',
  'Basic !!',
  `R_SESS=${'x'.repeat(9000)}`,
  'text/html',
  'Mozilla/5.0',
  '*/*',
  '\xff'.repeat(500),
];

test('noise from outside is answered or cut off, and the server stands as before', { timeout: 120_000 }, async t => {
  t.diagnostic(`seed ${seed}`);
  const noise = new Noise();
  await using server = await startServer({ env: { NODE_OPTIONS: '--max-old-space-size=160' } });
  const agent = new Agent({ ca: server.ca, keepAlive: true, maxSockets: 16 });
  t.after(() => agent.destroy());

  const send = () =>
    new Promise<number | undefined>(resolve => {
      const headers: Record<string, string> = { 'content-type': noise.pick(types) };
      for (let count = noise.below(3); count > 0; count--) headers[noise.pick(headerNames)] = noise.pick(headerValues);
      if (noise.below(6) === 0) headers['content-encoding'] = 'gzip';
      const path = noise.below(3) > 0 ? noise.pick(paths) : noise.mutate(noise.pick(paths), paths);
      const target = path.replace(/[^\x21-\x7e]/g, character => encodeURIComponent(character));
      const asked = request(`${server.url}/`, { agent, path: target || '/', method: noise.pick(methods), headers });
      asked.on('response', answer => {
        answer.on('error', () => resolve(undefined));
        answer.resume().on('end', () => resolve(answer.statusCode));
      });
      // Cut off while sending more than is taken: that is an answer too.
      asked.on('error', () => resolve(undefined));
      asked.end(noise.below(2) === 0 ? noise.pick(bodies)() : undefined);
    });
  const statuses = new Map<number | undefined, number>();
  const count = Math.max(600, Math.min(runs / 20, 20_000));
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let i = 0; i < count / 16; i++) {
        const status = await send();
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok(status === undefined || status < 500 || status === 503, `${status}\n${server.output.slice(-2000)}`);
      }
    }),
  );
  t.diagnostic(`answers: ${[...statuses].map(([status, times]) => `${status ?? 'cut off'} ${times}`).join(', ')}`);
  assert.equal((await server.fetch('GET', '/readyz')).status, 200);
  assert.equal(server.child.exitCode, null);
  const rssKb = (await residentMb(server.child.pid!)) * 1024;
  assert.ok(rssKb < 450_000, `${rssKb} kB`);
});
