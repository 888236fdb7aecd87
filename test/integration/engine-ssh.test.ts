/** The ways into hosts: SSH to real sshds as root, with sudo, with certificates, through a bastion; and this machine. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { hasReason, Secret, until } from '@drover/base';
import { connectLocal, connectRemote, connectSsh, type SshOptions, serveHost } from '@drover/engine';
import { hostsSkipReason, startHosts, type TestHost, type TestHosts } from '../hosts/index.ts';
import { executorSuite } from './executor-suite.ts';

test('this machine is a host', async t => {
  if (process.getuid?.() !== 0) return t.skip('needs root');
  await using executor = connectLocal();
  const server = createServer(socket => socket.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await executorSuite(t, executor, (server.address() as { port: number }).port);
  server.close();
});

test('a host is reached through the tunnel of its own agent', async t => {
  if (process.getuid?.() !== 0) return t.skip('needs root');
  const agent = createServer(serveHost).listen(0, '127.0.0.1');
  const greets = createServer(socket => socket.end('hello')).listen(0, '127.0.0.1');
  await Promise.all([once(agent, 'listening'), once(greets, 'listening')]);
  const port = (server: typeof agent) => (server.address() as { port: number }).port;
  const open = async () => {
    const socket = connect(port(agent), '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  await using executor = connectRemote({ host: 'node-1', open });
  await executorSuite(t, executor, port(greets));
  await t.test('a command whose connection is lost says so', async () => {
    const sockets: Awaited<ReturnType<typeof open>>[] = [];
    const lossy = connectRemote({
      host: 'node-1',
      open: async () => {
        const socket = await open();
        sockets.push(socket);
        return socket;
      },
    });
    const lost = lossy.run(['sleep', '98766'], { onOutput: () => {} });
    await until('the command to be under way', () => sockets.length > 0);
    sockets[0]!.destroy();
    await assert.rejects(lost, error => hasReason(error, 'ServiceUnavailable') && /node-1/.test(String(error)));
  });
  agent.close();
  greets.close();
});

test('hosts are reached over SSH', async t => {
  const reason = hostsSkipReason();
  if (reason) return t.skip(reason);
  await using world = await startHosts({ count: 2, signal: t.signal });
  const [host, other] = world.hosts as [TestHost, TestHost];

  for (const user of ['root', 'admin']) {
    await t.test(`as ${user}`, async t => {
      await using executor = await connectSsh(target(world, host, { user }));
      await executorSuite(t, executor, 22);
    });
  }
  await t.test(
    'a key that was never seen is asked about, and one that changed is refused with both named',
    async () => {
      const seen: string[] = [];
      const trust = (fingerprint: string) => {
        seen.push(fingerprint);
      };
      const options = target(world, host);
      await (await connectSsh({ ...options, fingerprint: undefined, trust }))[Symbol.asyncDispose]();
      assert.deepEqual(seen, [host.fingerprint]);
      const changed = connectSsh({ ...options, fingerprint: other.fingerprint, trust });
      await assert.rejects(
        changed,
        error =>
          hasReason(error, 'Forbidden') &&
          error.message.includes(host.fingerprint) &&
          error.message.includes(other.fingerprint),
      );
      await assert.rejects(connectSsh({ ...options, fingerprint: undefined }), /host key .* is not known/);
      assert.equal(seen.length, 1);
    },
  );
  await t.test('what is wrong is told apart', t => wrongs(t, world, host));
  await t.test('through a bastion, whose key is pinned too', async () => {
    const bastion = { access: target(world, other, { user: 'admin' }).access, fingerprint: other.fingerprint };
    const inside = { ...target(world, host), bastion };
    await using executor = await connectSsh(inside);
    const { stdout } = await executor.run(['hostname']);
    assert.equal(stdout.trim(), host.name);
    const from = await executor.run(['sh', '-c', 'ss -tnH state established "( sport = :22 )"']);
    assert.match(from.stdout, new RegExp(`${other.address}:\\d+`));
    const changed = connectSsh({ ...inside, bastion: { ...bastion, fingerprint: host.fingerprint } });
    await assert.rejects(changed, /bastion .*host key has changed/);
  });
  await t.test('by a certificate of each kind of key', () => certificates(world, host));
  await t.test('by an agent', async t => {
    const keys = await mkdtemp(join(tmpdir(), 'drover-agent-'));
    const socket = join(keys, 'agent');
    const agent = execFileSync('ssh-agent', ['-a', socket, '-s']).toString();
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent)![1]);
    t.after(async () => {
      process.kill(pid);
      delete process.env['SSH_AUTH_SOCK'];
      await rm(keys, { recursive: true });
    });
    const options = target(world, host, { privateKey: undefined, useAgent: true });
    await assert.rejects(connectSsh(options), /SSH_AUTH_SOCK is not set/);
    process.env['SSH_AUTH_SOCK'] = socket;
    await assert.rejects(connectSsh(options), error => hasReason(error, 'Forbidden'));
    execFileSync('ssh-add', ['-'], { input: world.privateKey, stdio: 'pipe' });
    await using executor = await connectSsh(options);
    assert.equal((await executor.run(['hostname'])).stdout.trim(), host.name);
  });
  await t.test('a connection that is lost fails what runs over it, and what is asked of it later', async () => {
    await using executor = await connectSsh(target(world, other));
    const running = executor.run(['sh', '-c', 'echo $PPID >/run/parent; sleep 98765']);
    running.catch(() => {});
    await until('the command to run', () => other.exec(['cat', '/run/parent']), { timeoutMs: 30_000 });
    const upload = executor.put('/var/lib/half', endless());
    upload.catch(() => {});
    const part = '/var/lib/half.drover-part';
    await until('the upload to be on its way', () => other.exec(['test', '-s', part]).then(() => true), {
      timeoutMs: 30_000,
    });
    await other.stop();
    const isLost = (error: unknown) =>
      hasReason(error, 'ServiceUnavailable') && /the SSH connection is lost/.test(error.message);
    await assert.rejects(running, isLost);
    await assert.rejects(upload, isLost);
    await assert.rejects(executor.run(['true']), isLost);
    await assert.rejects(executor.dialer({ host: '127.0.0.1', port: 22 }), isLost);
    await other.start();
    assert.match(await other.exec(['sh', '-c', 'ls /var/lib/half 2>&1 || true']), /No such file/);
  });
});

async function wrongs(t: TestContext, world: TestHosts, host: TestHost): Promise<void> {
  const server = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const passphrase = execFileSync('sh', [
    '-c',
    'd=$(mktemp -d); ssh-keygen -q -t ed25519 -N word -f $d/k; cat $d/k; rm -r $d',
  ]).toString();
  const strange = execFileSync('sh', [
    '-c',
    'd=$(mktemp -d); ssh-keygen -q -t ed25519 -N "" -f $d/k; cat $d/k; rm -r $d',
  ]).toString();
  await host.exec(['useradd', '--create-home', 'plain']);
  await host.exec(['sh', '-c', 'cp -r ~root/.ssh /home/plain/ && chown -R plain /home/plain']);
  for (const [name, access, reason, message] of [
    ['name', { address: 'no-such-host.invalid' }, 'ServiceUnavailable', /no address for no-such-host.invalid/],
    ['port', { port: 1 }, 'ServiceUnavailable', /nothing listens at .*:1/],
    ['protocol', { address: '127.0.0.1', port }, 'ServiceUnavailable', /what listens at .* ends the SSH handshake/],
    ['key', { privateKey: new Secret(strange) }, 'Forbidden', /does not let root in with this key/],
    ['no key', { privateKey: undefined }, 'Invalid', /needs a private key/],
    ['passphrase', { privateKey: new Secret(passphrase) }, 'Invalid', /has a passphrase/],
    ['nonsense', { privateKey: new Secret('nonsense') }, 'Invalid', /private key can't be read/],
    ['sudo', { user: 'plain' }, 'Forbidden', /sudo wants a password of plain/],
  ] as const) {
    await assert.rejects(
      connectSsh(target(world, host, access)),
      error => hasReason(error, reason) && message.test(error.message) && error.message.includes(host.name),
      name,
    );
  }
  const stop = AbortSignal.abort(new Error('never mind'));
  await assert.rejects(connectSsh({ ...target(world, host), signal: stop }), /never mind/);
}

/** sshd trusts whatever this authority signs; the keys themselves it has never seen. */
async function certificates(world: TestHosts, host: TestHost): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-cert-'));
  const keygen = (...args: string[]) => execFileSync('ssh-keygen', ['-q', ...args], { cwd: dir });
  keygen('-t', 'ed25519', '-N', '', '-f', 'ca');
  const authority = await readFile(join(dir, 'ca.pub'), 'utf8');
  await host.exec(['sh', '-c', `echo '${authority.trim()}' >/etc/ssh/ca.pub`]);
  await host.exec(['sh', '-c', 'echo "TrustedUserCAKeys /etc/ssh/ca.pub" >/etc/ssh/sshd_config.d/ca.conf']);
  await host.exec(['systemctl', 'restart', 'ssh']);
  for (const type of ['ed25519', 'ecdsa', 'rsa']) {
    keygen('-t', type, '-N', '', '-f', type);
    keygen('-s', 'ca', '-I', 'test', '-n', 'admin', `${type}.pub`);
    const privateKey = new Secret(await readFile(join(dir, type), 'utf8'));
    const certificate = await readFile(join(dir, `${type}-cert.pub`), 'utf8');
    await using executor = await connectSsh(target(world, host, { user: 'admin', privateKey, certificate }));
    assert.equal((await executor.run(['id', '-u'])).stdout.trim(), '0', type);
    // It names one user.
    const asRoot = connectSsh(target(world, host, { user: 'root', privateKey, certificate }));
    await assert.rejects(asRoot, error => hasReason(error, 'Forbidden'));
  }
  await rm(dir, { recursive: true });
}

async function* endlessChunks() {
  for (;;) yield Buffer.alloc(64 * 1024, 1);
}

const endless = () => Readable.from(endlessChunks());

function target(world: TestHosts, host: TestHost, access: Partial<SshOptions['access']> = {}): SshOptions {
  return {
    host: host.name,
    fingerprint: host.fingerprint,
    access: {
      address: host.address,
      port: 22,
      user: 'root',
      privateKey: new Secret(world.privateKey),
      useAgent: false,
      ...access,
    },
  };
}
