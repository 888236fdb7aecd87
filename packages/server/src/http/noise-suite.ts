/**
 * Noise for what reads addresses and headers: each is read or refused with an error that is meant for who sent it, and what
 * must never come out of them does not: another cluster's path, another identity, a second header.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { StatusError } from '@drover/base';
import { parseV3Path } from '../api/url.ts';
import { parseBearer, readCookie, readCredential } from '../auth/credentials.ts';
import { createResolveIdentity, identityHeaders } from '../auth/impersonation.ts';
import { outgoingHeaders } from '../proxy/headers.ts';
import { parseProxyPath, proxyPrefixes } from '../proxy/path.ts';
import { baseUrl } from './base-url.ts';
import { requirePlainPath, splitTarget } from './routes.ts';

/** What the noise is made by. */
interface Source {
  below(below: number): number;
  pick<T>(list: readonly T[]): T;
  mutate(text: string, others: readonly string[]): string;
}

/** Runs `once` and lets only errors through that are meant for who sent it. */
function meant<T>(once: () => T): T | undefined {
  try {
    return once();
  } catch (error) {
    if (error instanceof StatusError && error.status >= 400 && error.status < 500) return undefined;
    throw error;
  }
}

const addresses = [
  '/k8s/clusters/c-abcde/api/v1/pods',
  '/k8s/proxy/c-abcde/api/v1/namespaces/a/services/https:b:443/proxy/x?y=z',
  '/k8s/clusters/local/../c-other/api',
  '/v3/clusters/c-abcde/nodes?name=x&sort=name',
  '/v3/project/c-abcde:p-fghij/workloads/deployment:a:b?action=redeploy',
  '/v3/principals/local%3A%2F%2Fu-abcde',
  '/v3-public/localProviders/local?action=login',
  '/v3/import/abc_c-abcde.yaml',
  '/%2e%2e/%252e/..%2f/.%2E/',
];

export function addressNoise(noise: Source, runs: number): void {
  let reached = 0;
  for (let run = 0; run < runs; run++) {
    const target = noise.mutate(noise.pick(addresses), addresses);
    meant(() => {
      const { path, search } = splitTarget(target);
      new URLSearchParams(search).get('action');
      requirePlainPath(path);
      assert.equal(path + search, target);
      // What a URL parser makes of the path, as clients and servers further on may, is the path.
      const parsed = new URL(`https://x${path.startsWith('//') ? '/.' : ''}${path}`).pathname;
      for (const prefix of proxyPrefixes) {
        if (!path.startsWith(`${prefix}/`)) continue;
        const { clusterId, rest } = parseProxyPath(path, prefix);
        reached++;
        assert.match(clusterId, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
        assert.equal(`${prefix}/${clusterId}${path.slice(prefix.length + 1 + clusterId.length)}`, path);
        assert.ok(rest.startsWith('/') && !/[\r\n\0 ]/.test(rest));
        assert.ok(parsed.startsWith(`${prefix}/${clusterId}`), `${path} is read as ${parsed}`);
      }
      if (path.startsWith('/v3')) {
        const { context } = parseV3Path(path);
        if (context) assert.ok(['cluster', 'project'].includes(context.type));
      }
    });
  }
  assert.ok(reached > runs / 100, 'many got as far as a cluster');
}

const names = [
  'Authorization', 'Cookie', 'Connection', 'Host', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-API-Host',
  'Impersonate-User', 'Impersonate-Group', 'Impersonate-Extra-scopes', 'Impersonate-Uid', 'X-Remote-User', 'Accept',
  'Transfer-Encoding', 'TE', 'Trailer', 'Upgrade', 'Sec-WebSocket-Protocol', 'X-API-Tunnel-Token', 'Keep-Alive',
]; // biome-ignore format: a list of words
const values = [
  'Bearer token-abcde:0123456789abcdefghij', 'Basic dG9rZW46a2V5', 'R_SESS=token-a:b; CSRF=1', 'close, Impersonate-User', 'u-abcde',
  'system:masters', 'system:serviceaccount:a:b', 'drover.example.com:8443', '1.2.3.4, 5.6.7.8', 'https', 'chunked', '[::1]:99', 'é中文',
  'base64url.bearer.authorization.k8s.io.abc, v5.channel.k8s.io',
]; // biome-ignore format: a list of words

export function headerNoise(noise: Source, runs: number): void {
  const nothing = { allows: () => false, ownsAll: () => false } as never;
  const resolve = createResolveIdentity(nothing);
  const caller = { userId: 'u-real', groups: ['system:authenticated'], extra: { username: ['é'] } } as never;
  let sent = 0;
  for (let run = 0; run < runs; run++) {
    const raw: string[] = [];
    for (let count = noise.below(8); count > 0; count--) {
      const name = noise.below(3) > 0 ? noise.pick(names) : noise.mutate(noise.pick(names), names);
      // The parser before us lets no other names through (RFC 9110 5.1).
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) continue;
      raw.push(name, noise.below(2) > 0 ? noise.pick(values) : noise.mutate(noise.pick(values), values));
    }
    const headers: Record<string, string> = Object.create(null);
    for (let i = 0; i < raw.length; i += 2) headers[raw[i]!.toLowerCase()] = raw[i + 1]!;
    const request = {
      headers,
      rawHeaders: raw,
      socket: { encrypted: true, localAddress: '::1', localPort: 1 },
    } as never;
    const base = meant(() => baseUrl(request as IncomingMessage));
    if (base !== undefined) assert.match(base, /^https?:\/\/[A-Za-z0-9.:[\]_-]+$/);
    const credential = meant(() => readCredential(request as IncomingMessage, true));
    if (credential && credential !== 'bad') meant(() => parseBearer(credential.text));
    readCookie(headers['cookie'], 'R_SESS');
    meant(() => {
      const identity = resolve(caller, raw, 'c-abcde');
      assert.equal(identity.userId, 'u-real', 'nobody else without the right to be');
      const out = outgoingHeaders(raw, { identity: identityHeaders(identity), authorization: 'Bearer ours' });
      sent++;
      let users = 0;
      for (let i = 0; i < out.length; i += 2) {
        const [name, value] = [out[i]!.toLowerCase(), out[i + 1]!];
        assert.ok(!/[\r\n\0]/.test(name + value));
        if (name === 'impersonate-user') users += value === 'u-real' ? 1 : 99;
        if (name === 'impersonate-group') assert.equal(value, 'system:authenticated');
        if (name === 'authorization') assert.equal(value, 'Bearer ours');
        assert.ok(!['cookie', 'connection', 'transfer-encoding', 'upgrade', 'te', 'trailer'].includes(name), name);
        assert.ok(!/^x-remote-|^x-api-tunnel-|^impersonate-uid/.test(name), name);
      }
      assert.equal(users, 1);
    });
  }
  assert.ok(sent > runs / 10, 'many were good enough to be sent');
}
