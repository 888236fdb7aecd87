/** The images that `./drover image build` makes are taken by a real containerd and their programs start in it. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { until } from '@drover/base';
import { agentsLayer } from '../../tools/image/agents.ts';
import { writeArchive } from '../../tools/image/archive.ts';
import { buildImage } from '../../tools/image/build.ts';
import { platforms } from '../../tools/image/platform.ts';
import { programs } from '../../tools/image/programs.ts';

const run = promisify(execFile);
const here = platforms.find(each => each.nodeArch === arch());

/** A containerd of its own, with all its state in one directory; undefined with a reason where there is none. */
async function startContainerd(t: TestContext) {
  const found = await run('containerd', ['--version']).then(
    () => true,
    () => false,
  );
  if (!found) return t.skip('containerd is not installed');
  if (process.getuid?.() !== 0) return t.skip('containerd needs root');
  const dir = await mkdtemp(join(tmpdir(), 'drover-containerd-'));
  const socket = join(dir, 's.sock');
  const config = join(dir, 'config.toml');
  const lines = [
    'version = 2',
    `root = "${dir}/root"`,
    `state = "${dir}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `address = "${socket}"`,
  ];
  await writeFile(config, lines.join('\n'));
  const child = spawn('containerd', ['-c', config], { stdio: 'ignore' });
  const ended = new Promise(resolve => child.once('exit', resolve));
  const ctr = (...args: string[]) => run('ctr', ['-a', socket, ...args]);
  await until('containerd to answer', () => ctr('version'), { timeoutMs: 20_000, everyMs: 100 });
  return {
    dir,
    ctr,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

for (const program of programs) {
  test(`the ${program.name} image builds to the same digest twice, loads and starts as nobody in particular`, async t => {
    if (!here || platform() !== 'linux') return t.skip(`no image is made for ${platform()} ${arch()}`);
    await using containerd = (await startContainerd(t)) ?? undefined;
    if (!containerd) return;
    const more = program.name === 'server' ? [await agentsLayer([here], 'test')] : [];
    const image = await buildImage(program, here, more);
    assert.equal((await buildImage(program, here, more)).manifest.digest, image.manifest.digest);

    const path = join(containerd.dir, 'image.tar');
    const name = `docker.io/drover/${program.name}:test`;
    await writeFile(path, await writeArchive(image, name));
    // The snapshotter that works wherever the test's own root file system is an overlay.
    await containerd.ctr('image', 'import', '--snapshotter', 'native', path);
    const start = (...args: string[]) =>
      containerd.ctr('run', '--rm', '--snapshotter', 'native', name, `drover-test-${program.name}`, ...args);
    const node = '/usr/local/bin/node';
    const help = await start(node, '/usr/lib/drover/main.mjs', '--help');
    assert.match(help.stdout, new RegExp(`Usage: drover (${program.name}|up)`));
    const facts = await start(
      node,
      '-p',
      'JSON.stringify([process.getuid(), process.env.HOME, process.cwd(), require("node:fs").statSync("/tmp").mode & 0o7777])',
    );
    assert.deepEqual(JSON.parse(facts.stdout), [65532, program.home, program.home, 0o1777]);
    if (program.name === 'server') {
      const agents = await start(node, '-p', 'require("node:fs").readdirSync(process.env.DROVER_AGENT_IMAGES).join()');
      assert.equal(agents.stdout.trim(), `drover-agent-${here.name}.tar`);
    }
    // Only this platform has a prebuilt add-on; elsewhere JavaScript does its work.
    if (here.nodeArch !== 'x64') return;
    const fast = await start(node, '-p', `typeof require('/usr/lib/drover/node_modules/bufferutil').mask`);
    assert.equal(fast.stdout.trim(), 'function');
  });
}
