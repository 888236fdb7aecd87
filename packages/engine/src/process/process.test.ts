/** Real processes: guarded ones end with us, supervised ones come back, strangers are left alone, locks end with their holder. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLog, until } from '@drover/base';
import { startGuarded } from './guarded.ts';
import { identify, isRunning } from './identity.ts';
import { holdLock } from './lock.ts';
import { lastLines, openLogFile, rotateLogFile } from './log-file.ts';
import { stopProcess } from './stop.ts';
import { endLeftovers, type ProcessStatus, SupervisedProcess } from './supervise.ts';

async function tempDir(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-process-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function devNull(t: TestContext): number {
  const fd = openSync('/dev/null', 'w');
  t.after(() => closeSync(fd));
  return fd;
}

/** Runs a module that imports from here, and gives its first line of output. */
async function runModule(t: TestContext, code: string) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let line = '';
  for await (const chunk of child.stdout) {
    line += chunk;
    if (line.includes('\n')) break;
  }
  return { child, line: line.trim() };
}

test('a guarded process is its own pid and says how it ended', async t => {
  const fd = devNull(t);
  const run = (script: string) => startGuarded({ command: 'sh', args: ['-c', script], stdout: fd, stderr: fd });
  assert.equal(await (await run('sleep 0.2; exit 3')).ended, 'exit code 3');
  const sleeper = await run('exec sleep 1000');
  process.kill(sleeper.identity.pid, 'SIGKILL');
  assert.equal(await sleeper.ended, 'signal 9');
});

test('kill -9 of its parent ends a guarded process, one that ignores SIGTERM too', async t => {
  const { child, line } = await runModule(
    t,
    `import { startGuarded } from './guarded.ts';
     const args = ['-c', "trap '' TERM; while :; do sleep 1; done"];
     const { identity } = await startGuarded({ command: 'sh', args, stdout: 2, stderr: 2, orphanGraceSeconds: 1 });
     console.log(JSON.stringify(identity));
     setInterval(() => {}, 1000);`,
  );
  const identity = JSON.parse(line);
  assert.equal(await isRunning(identity), true);
  child.kill('SIGKILL');
  await until('it to be gone', async () => !(await isRunning(identity)));
});

test('stopping asks first, forces after the grace, and never touches a later owner of the number', async t => {
  const [fd, cwd] = [devNull(t), await tempDir(t)];
  const args = ['-c', "trap '' TERM; touch deaf; while :; do sleep 0.1; done"];
  const deaf = await startGuarded({ command: 'sh', args, cwd, stdout: fd, stderr: fd });
  await until('its trap', () => stat(join(cwd, 'deaf')));
  await stopProcess(deaf.identity, 100);
  assert.equal(await deaf.ended, 'signal 9');

  const stranger = spawn('sleep', ['1000']);
  t.after(() => stranger.kill());
  await stopProcess({ pid: stranger.pid!, startedAt: 'another time' }, 0);
  assert.ok(await identify(stranger.pid!));
});

test('a supervised process that ends comes back after a pause, and its last words are told', async t => {
  const dir = await tempDir(t);
  const seen: ProcessStatus[] = [];
  const supervised = new SupervisedProcess({
    name: 'part',
    command: 'sh',
    args: ['-c', 'echo "can not go on" >&2; [ -e ok ] || { touch ok; exit 4; }; exec sleep 1000'],
    env: { PATH: process.env['PATH'], PWD: dir },
    cwd: dir,
    runDir: dir,
    logDir: dir,
    probe: async () => void (await stat(join(dir, 'ok'))),
    log: silentLog,
    onChange: status => seen.push(status),
  });
  supervised.start();
  await until('a restart', () => supervised.status.restarts === 1 && supervised.status.state === 'ready');
  const waiting = seen.find(({ state }) => state === 'waiting');
  assert.match(waiting!.message!, /exit code 4: can not go on$/);
  assert.ok((await supervised.memoryBytes())! > 0);
  const identity = JSON.parse(await readFile(join(dir, 'part.pid'), 'utf8'));
  await supervised.stop();
  assert.deepEqual([await isRunning(identity), supervised.status.state], [false, 'stopped']);
  await assert.rejects(stat(join(dir, 'part.pid')), /ENOENT/);
});

test('leftovers are ended by the identity on disk; a number that means somebody else now is not', async t => {
  const dir = await tempDir(t);
  const [left, stranger] = [spawn('sleep', ['1000']), spawn('sleep', ['1000'])];
  t.after(() => [left, stranger].forEach(child => void child.kill()));
  await writeFile(join(dir, 'left.pid'), JSON.stringify(await identify(left.pid!)));
  await writeFile(join(dir, 'stranger.pid'), JSON.stringify({ pid: stranger.pid, startedAt: '1' }));
  await writeFile(join(dir, 'broken.pid'), 'half a fi');
  await endLeftovers(dir, ['left', 'stranger', 'broken', 'absent'], silentLog);
  assert.deepEqual([await identify(left.pid!), (await identify(stranger.pid!))?.pid], [undefined, stranger.pid]);
});

test('a lock is held by one, waited for or refused, and free again when its holder is killed', async t => {
  const path = join(await tempDir(t), 'lock');
  const { child } = await runModule(
    t,
    `import { holdLock } from './lock.ts';
     await holdLock(${JSON.stringify(path)});
     console.log('held');
     setInterval(() => {}, 1000);`,
  );
  await assert.rejects(holdLock(path, { orFail: 'somebody has it' }), /somebody has it/);
  let waited = false;
  const waiting = holdLock(path, { onWait: () => (waited = true) });
  await until('the wait to begin', () => waited);
  child.kill('SIGKILL');
  await using _ = await waiting;
  await assert.rejects(holdLock(path, { orFail: 'we have it' }), /we have it/);
});

test('a log file is cut while its writer goes on, with the older part beside it', async t => {
  const path = join(await tempDir(t), 'part.log');
  using file = await openLogFile(path);
  const write = (text: string) => writeSync(file.fd, text);
  write('one\ntwo\n');
  await rotateLogFile(path, 100);
  assert.deepEqual(await lastLines(path, 1), ['two']);
  await rotateLogFile(path, 4);
  write('three\n');
  assert.deepEqual([await readFile(path, 'utf8'), await readFile(`${path}.1`, 'utf8')], ['three\n', 'one\ntwo\n']);
});
