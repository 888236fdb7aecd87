/** What every way to a host keeps to, whatever it is: run against SSH as root, SSH with sudo, and this machine. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { hasReason, isNotFound, until } from '@drover/base';
import type { Executor } from '@drover/engine';

/** `greets`: a port of the host's own loopback where somebody speaks first. */
export async function executorSuite(t: TestContext, executor: Executor, greets: number): Promise<void> {
  const text = (argv: readonly string[]) => executor.run(argv).then(({ stdout }) => stdout);
  const dir = (await text(['mktemp', '-d'])).trim();

  await t.test('words reach a command as they are, and its end is told whole', async () => {
    const words = ['a b', "it's", '$HOME `id`', '*', '~', '', '\\', 'x\ny', '-n', 'é'];
    const { stdout } = await executor.run(['printf', '%s|', ...words]);
    assert.equal(stdout, `${words.join('|')}|`);
    const ended = await executor.run(['sh', '-c', 'cat; echo wrong >&2; exit 7'], { stdin: 'in' });
    assert.deepEqual(ended, { code: 7, stdout: 'in', stderr: 'wrong\n' });
    assert.equal((await text(['id', '-u'])).trim(), '0');
    assert.equal((await executor.run(['no-such-command'])).code, 127);
    // More than it takes is no reason to fail.
    assert.equal((await executor.run(['true'], { stdin: Readable.from([Buffer.alloc(4 << 20)]) })).code, 0);
  });

  await t.test('only the last of much output is kept, all of it is shown', async () => {
    let shown = 0;
    const onOutput = (chunk: string) => {
      shown += chunk.length;
    };
    const script = 'head -c 6000000 /dev/zero | tr "\\0" a; echo end';
    const { stdout } = await executor.run(['sh', '-c', script], { onOutput });
    assert.equal(stdout.length, 4 * 1024 * 1024);
    assert.ok(stdout.endsWith('aend\n'));
    assert.equal(shown, 6_000_004);
  });

  await t.test(
    'a command whose time is over, or that nobody wants any more, is ended with what it started',
    async () => {
      const script = `sleep 98765 & echo $! >${dir}/pid; wait`;
      const isGone = async () => (await executor.run(['sh', '-c', `kill -0 $(cat ${dir}/pid)`])).code !== 0;
      const late = executor.run(['sh', '-c', script], { timeoutMs: 1_500 });
      await assert.rejects(late, error => hasReason(error, 'Timeout') && /within 1500 ms/.test(String(error)));
      await until('the command to be gone', isGone, { timeoutMs: 30_000 });
      await executor.run(['rm', `${dir}/pid`]);

      const stop = new AbortController();
      const wanted = executor.run(['sh', '-c', script], { signal: stop.signal });
      wanted.catch(() => {});
      await until('the command to run', () => executor.read(`${dir}/pid`), { timeoutMs: 30_000 });
      stop.abort(new Error('never mind'));
      await assert.rejects(wanted, /never mind/);
      await until('the command to be gone', isGone, { timeoutMs: 30_000 });
    },
  );

  await t.test('a file is replaced at once, with its folders, mode and owner', async () => {
    const path = `${dir}/deep/er/it's a file`;
    await executor.put(path, 'one', { mode: 0o600, uid: 12, gid: 34 });
    assert.equal((await text(['stat', '-c', '%a %u %g', path])).trim(), '600 12 34');
    assert.equal((await executor.read(path))?.toString(), 'one');
    await executor.put(path, Readable.from([Buffer.from('two'), Buffer.from('three')]));
    assert.equal((await executor.read(path))?.toString(), 'twothree');
    assert.equal((await text(['stat', '-c', '%a', path])).trim(), '644');
    await executor.put(path, '');
    assert.equal((await executor.read(path))?.length, 0);
    assert.equal((await text(['ls', `${dir}/deep/er`])).trim(), "it's a file");
  });

  await t.test('what does not arrive whole leaves what was there', async () => {
    const path = `${dir}/kept`;
    await executor.put(path, 'kept');
    const wrong = executor.put(path, 'other', { sha256: '0'.repeat(64) });
    await assert.rejects(wrong, error => hasReason(error, 'Invalid') && /checksum/.test(String(error)));
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the disk broke');
      })(),
    );
    await assert.rejects(executor.put(path, broken), /the disk broke/);
    assert.equal((await executor.read(path))?.toString(), 'kept');
    await assert.rejects(executor.put('/proc/no/such', 'x'), error => hasReason(error, 'ServiceUnavailable'));
  });

  await t.test('nothing is written through a link that somebody has put in the way', async () => {
    await executor.put(`${dir}/victim`, 'mine');
    await executor.run(['ln', '-s', `${dir}/victim`, `${dir}/target.drover-part`]);
    await executor.run(['ln', '-s', `${dir}/victim`, `${dir}/target`]);
    await executor.put(`${dir}/target`, 'new');
    assert.equal((await executor.read(`${dir}/victim`))?.toString(), 'mine');
    assert.equal((await executor.read(`${dir}/target`))?.toString(), 'new');
  });

  await t.test('large files go both ways as streams', async () => {
    const content = randomBytes(24 << 20);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const chunks = Array.from({ length: 24 }, (_, index) => content.subarray(index << 20, (index + 1) << 20));
    let across = 0;
    const onBytes = (bytes: number) => {
      across = bytes;
    };
    await executor.put(`${dir}/large`, Readable.from(chunks), { sha256, onBytes });
    assert.equal(across, content.length);
    const hash = createHash('sha256');
    for await (const chunk of await executor.stream(`${dir}/large`)) hash.update(chunk as Buffer);
    assert.equal(hash.digest('hex'), sha256);
    assert.equal(await executor.read(`${dir}/none`), undefined);
    const none = await executor.stream(`${dir}/none`);
    await assert.rejects(once(none.resume(), 'end'), isNotFound);
  });

  await t.test('fifty commands at once all end, whatever the host allows', async () => {
    const outputs = await Promise.all(Array.from({ length: 50 }, (_, index) => text(['echo', String(index)])));
    assert.deepEqual(
      outputs.map(Number),
      outputs.map((_, index) => index),
    );
  });

  await t.test('addresses are dialled from the host', async () => {
    const socket = await executor.dialer({ host: '127.0.0.1', port: greets });
    const [greeting] = (await once(socket, 'data')) as [Buffer];
    assert.ok(greeting.length > 0);
    socket.destroy();
    await assert.rejects(executor.dialer({ host: '127.0.0.1', port: 1 }), error =>
      hasReason(error, 'ServiceUnavailable'),
    );
  });

  await executor.run(['rm', '-rf', dir]);
}
