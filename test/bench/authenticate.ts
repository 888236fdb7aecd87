/**
 * What signing in one request costs: the caller of a verified token, the first look at a token, the check of a membership
 * and the headers towards the cluster. No peer does the same work apart from its server, so there are only our figures.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Secret, silentLog } from '@drover/base';
import {
  bootstrapAdmin,
  createCaches,
  identityHeaders,
  issueToken,
  openAuth,
  Resources,
  startCaches,
} from '@drover/server';
import { openSqliteStore } from '@drover/store';
import type { Row } from './row.ts';

const rounds = 50_000;
/** Nothing here is secret, and sealing is not what is measured. */
const plain = { encrypt: (value: string) => value, decrypt: (text: string) => text };

export async function run(): Promise<Row[]> {
  await using store = await openSqliteStore({ path: ':memory:' });
  const stop = new AbortController();
  try {
    const resources = new Resources(store, plain);
    const caches = createCaches(resources, silentLog);
    resources.onWrite = (id, resource, gone) => caches[id].observe(resource as never, gone);
    await startCaches(caches, stop.signal);
    const deps = { resources, caches, settings: { get: () => '' } };
    const baseUrl = () => 'https://drover.test';
    return await measure(deps, openAuth(deps, { baseUrl, log: silentLog, signal: stop.signal }));
  } finally {
    stop.abort();
  }
}

async function measure(deps: Parameters<typeof openAuth>[0], auth: ReturnType<typeof openAuth>): Promise<Row[]> {
  const { resources } = deps;
  const { userId = '' } = (await bootstrapAdmin(deps, new Secret(randomBytes(12).toString('hex')))) ?? {};
  const flags = { clusterCreatorDefault: false, projectCreatorDefault: false };
  await resources.create('roleTemplate', { metadata: { name: 'cluster-member' }, displayName: 'Member', ...flags });
  for (let cluster = 0; cluster < 50; cluster++) {
    const name = `c-${cluster}`;
    await resources.create('cluster', { metadata: { name }, spec: {} });
    const subject = { clusterName: name, roleTemplateName: 'cluster-member', userName: userId };
    await resources.create('clusterRoleTemplateBinding', { metadata: { namespace: name }, ...subject });
  }
  const bearers: string[] = [];
  for (let token = 0; token < 500; token++)
    bearers.push((await issueToken(deps, { userId, kind: 'derived' })).bearer.reveal());
  const requests = bearers.map(bearer => requestOf(bearer));
  const options = { path: '/k8s/clusters/c-7/api/v1/pods', cookies: false };
  const sign = (index: number) => auth.authenticate(requests[index % requests.length]!, options);

  const started = performance.now();
  for (let index = 0; index < requests.length; index++) await sign(index);
  const firstUs = ((performance.now() - started) * 1000) / requests.length;
  const signUs = await time(sign);
  const caller = (await sign(0))!;
  const whole = await time(async index => {
    const who = (await sign(index))!;
    if (!auth.access.mayReach(who, 'c-7')) throw new Error('a member must reach his cluster');
    const identity = auth.resolveIdentity(who, ['Host', 'drover.test', 'Accept', '*/*'], 'c-7');
    auth.sessions.signalFor(who, 'c-7');
    identityHeaders(identity);
  });
  const reachUs = await time(() => auth.access.mayReach(caller, 'c-7'));
  const row = (name: string, ours: number): Row => ({ name, ours, unit: 'µs', higherIsBetter: false });
  return [
    row('sign in with a token never seen', firstUs),
    row('sign in with a known token', signUs),
    row('membership of one cluster of 50', reachUs),
    row('sign-in, membership, identity and its headers', whole),
  ];
}

function requestOf(bearer: string): IncomingMessage {
  return { headers: { host: 'drover.test', authorization: `Bearer ${bearer}` } } as unknown as IncomingMessage;
}

async function time(work: (index: number) => unknown): Promise<number> {
  for (let index = 0; index < rounds / 10; index++) await work(index);
  const before = performance.now();
  for (let index = 0; index < rounds; index++) await work(index);
  return ((performance.now() - before) * 1000) / rounds;
}
