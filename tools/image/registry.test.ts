/** Where a push sends what: two servers here, the registry and a storage host it sends uploads on to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Secret } from '@drover/base';
import { jsonBlob, mediaTypes } from './build.ts';
import { parseReference } from './reference.ts';
import { Registry } from './registry.ts';

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('an upload that is sent on to another host carries neither password nor token', async () => {
  const seen: IncomingMessage[] = [];
  await using storage = await serve((request, response) => {
    seen.push(request);
    request.resume().on('end', () => response.writeHead(201).end());
  });
  await using registry = await serve((request, response) => {
    if (request.headers.authorization !== `Basic ${btoa('ann:right')}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    } else if (request.method === 'POST') {
      response.writeHead(202, { location: `http://${storage.host}/upload?state=1` }).end();
    } else {
      response.writeHead(404).end();
    }
  });
  const credentials = { username: 'ann', password: new Secret('right') };
  await using client = await Registry.open(parseReference(`${registry.host}/a:v1`), { insecure: true, credentials });
  const blob = jsonBlob(mediaTypes.config, { some: 'thing' });
  assert.equal(await client.pushBlob(blob), true);
  assert.deepEqual(
    seen.map(({ method, url, headers }) => [method, url, headers.authorization]),
    [['PUT', `/upload?state=1&digest=${encodeURIComponent(blob.digest)}`, undefined]],
  );
});
