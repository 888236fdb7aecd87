/** The hosts that provisioning is tested on: a root, a systemd and an sshd each, on a network of their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostsSkipReason, startHosts } from '../hosts/index.ts';

test('two hosts boot apart from each other, and one that lost its power keeps or loses its state', async t => {
  const reason = hostsSkipReason();
  if (reason) return t.skip(reason);
  await using world = await startHosts({ count: 2, signal: t.signal });
  const [one, two] = world.hosts as [(typeof world.hosts)[0], (typeof world.hosts)[0]];
  assert.notEqual(one.fingerprint, two.fingerprint);
  for (const host of [one, two]) {
    assert.equal((await host.exec(['hostname'])).trim(), host.name);
    assert.match(await host.exec(['systemctl', 'is-active', 'ssh.service']), /^active/);
  }
  assert.notEqual(await one.exec(['cat', '/etc/machine-id']), await two.exec(['cat', '/etc/machine-id']));
  await one
    .exec(['ping', '-c', '1', '-W', '5', two.address])
    .catch(() => one.exec(['bash', '-c', `</dev/tcp/${two.address}/22`]));

  await one.exec(['sh', '-c', 'echo kept >/var/lib/etcd/file']);
  await one.stop();
  await one.start();
  assert.equal((await one.exec(['cat', '/var/lib/etcd/file'])).trim(), 'kept');
  await one.stop({ forget: true });
  await one.start();
  await assert.rejects(one.exec(['cat', '/var/lib/etcd/file']), /No such file/);
});
