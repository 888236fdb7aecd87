/** What an agent does for its server is over when it is over, whatever became of it: nothing else waits for its end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { connectRemote } from './remote.ts';
import { serveHost } from './serve-host.ts';

function serving(): { readonly machine: ReturnType<typeof connectRemote>; over(): Promise<void> } {
  const [near, far] = duplexPair();
  let serve: Promise<void>;
  const open = async () => {
    serve = serveHost(far);
    return near;
  };
  return { machine: connectRemote({ host: 'a', open }), over: () => serve };
}

test('a connection that was refused is over', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise(resolve => server.close(resolve));
  const { machine, over } = serving();
  await assert.rejects(machine.dialer({ host: '127.0.0.1', port }), /a: 127\.0\.0\.1/);
  await over();
});

test('so is a command that ended, and one that there is not', async () => {
  for (const [argv, code] of [
    [['true'], 0],
    [['/no/such/command'], 127],
  ] as const) {
    const { machine, over } = serving();
    assert.equal((await machine.run(argv)).code, code);
    await over();
  }
});
