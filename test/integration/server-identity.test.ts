/** A name that somebody else has by now: an agent shows its token only to the server whose manifest was applied. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Agent, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Secret, until } from '@drover/base';
import { formatKubeconfig, writeKubeconfig } from '@drover/kube';
import { parseAllDocuments } from 'yaml';
import { startAgent, startHub } from './hub.ts';

const patient = { timeoutMs: 60_000 };

test('an agent connects to the server that proves who it is, and shows its token to no other', async t => {
  await using hub = await startHub();
  const api = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify(request.url === '/version' ? { gitVersion: 'v1.36.3' } : { metadata: { uid: 'some-cluster' } }),
    );
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  t.after(() => {
    api.closeAllConnections();
    api.close();
  });
  const kubeconfigPath = join(hub.dir, 'api.kubeconfig');
  const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const config = { name: 'api', server, token: new Secret('its-own') };
  await writeKubeconfig(kubeconfigPath, await formatKubeconfig(config));

  const made = await hub.makeCluster('known');
  const asked = get(`${hub.url}/v3/import/${made.token}_${made.id}.yaml`, { agent: new Agent({ ca: hub.ca.cert }) });
  const [answer] = await once(asked, 'response');
  const manifest = await text(answer);
  const objects = parseAllDocuments(manifest).map(document => document.toJS());
  const { env } = objects.find(({ kind }) => kind === 'Deployment').spec.template.spec.containers[0];
  const { value: serverKey } = env.find(({ name }: { name: string }) => name === 'DROVER_SERVER_KEY');
  assert.equal(serverKey, hub.serverKey);

  const log = () => readFile(join(hub.dir, 'agent.log'), 'utf8').catch(() => '');
  const another = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x!;
  {
    await using _deceived = await startAgent(hub, { ...made, kubeconfigPath, args: ['--server-key', another] });
    await until('its refusal', async () => /is not the server whose manifest was applied/.test(await log()), patient);
    assert.equal(hub.clusters.tunnels.has(made.id), false);
    assert.equal(hub.caches.cluster.get(made.id)?.status?.clusterUid, undefined, 'it never registered');
  }
  await using _agent = await startAgent(hub, { ...made, kubeconfigPath, args: ['--server-key', serverKey] });
  await until('it to be connected', () => hub.clusters.tunnels.has(made.id), patient);
});
