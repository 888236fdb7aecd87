/** The pure parts of the command line: config file, tables, completion, fingerprints, messages. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseV3Error } from './client.ts';
import { parseDuration } from './commands/resources.ts';
import { completionScript } from './completion.ts';
import { chooseServer, readConfig, withServer, writeConfig } from './config.ts';
import { languageOf, say, tables } from './messages.ts';
import { explainNetwork } from './network-errors.ts';
import { age, alignColumns } from './output.ts';
import { buildProgram } from './program.ts';
import { parseFingerprint } from './trust.ts';

async function scratch(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'drover-cli-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('the config is private, replaced whole, and read back', async () => {
  await using dir = await scratch();
  const path = join(dir.path, 'drover', 'config.json');
  const config = withServer(await readConfig(path), 'a', { url: 'https://a:8443', token: 't:k' });
  await writeConfig(config, path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readConfig(path), config);
  assert.deepEqual(await readdir(join(dir.path, 'drover')), ['config.json']);
  assert.equal(chooseServer(config).name, 'a');
  assert.equal(chooseServer(config, 'https://a:8443/').name, 'a');
});

for (const [what, text, message] of [
  ['broken', '{"version":1,', /is not valid JSON; repair it/],
  ['newer', '{"version":2,"servers":{}}', /written by a newer drover/],
  ['foreign', '{"auths":{}}', /is not a drover config/],
] as const) {
  test(`a ${what} config is an error and stays as it is`, async () => {
    await using dir = await scratch();
    const path = join(dir.path, 'config.json');
    await writeFile(path, text);
    await assert.rejects(readConfig(path), { message });
    assert.equal(await readFile(path, 'utf8'), text);
  });
}

test('a server that is not known is named with what to do', () => {
  assert.throws(() => chooseServer({ version: 1, servers: {} }), { message: /drover login/ });
  assert.throws(() => chooseServer({ version: 1, servers: {} }, 'https://b'), { message: /drover login https:\/\/b/ });
});

test('columns line up by what a terminal shows, wide characters included', () => {
  assert.equal(
    alignColumns([
      ['NAME', 'STATE'],
      ['生产', 'active'],
      ['a', 'x'],
    ]),
    'NAME  STATE\n生产  active\na     x\n',
  );
});

test('ages use the largest unit that says enough', () => {
  const now = Date.parse('2026-01-10T00:00:00Z');
  const ages = [
    '2026-01-09T23:59:15Z',
    '2026-01-09T23:30:00Z',
    '2026-01-09T12:00:00Z',
    '2026-01-02T00:00:00Z',
    'nonsense',
    undefined,
  ];
  assert.deepEqual(
    ages.map(time => age(time, now)),
    ['45s', '30m', '12h', '8d', undefined, undefined],
  );
});

test('durations take a unit and refuse the rest by the name of the flag', () => {
  assert.equal(parseDuration('90m', '--ttl'), 5_400_000);
  assert.throws(() => parseDuration('90', '--ttl'), { reason: 'Invalid', message: /--ttl: "90" must be/ });
});

test('fingerprints are read however people write them', () => {
  const hex = 'ab'.repeat(32);
  assert.equal(parseFingerprint(hex.toUpperCase().replace(/..(?!$)/g, '$&:')), hex);
  assert.equal(parseFingerprint(`SHA256:${hex}`), hex);
  assert.throws(() => parseFingerprint('ab:cd'), { message: /64 hexadecimal digits/ });
});

test("v3's errors keep code, field and message; a page of HTML gives its first line", () => {
  const error = parseV3Error(
    422,
    '{"type":"error","status":422,"code":"NotUnique","message":"username is taken","fieldName":"username"}',
  );
  assert.deepEqual(
    [error.reason, error.message, error.details],
    ['Invalid', 'username is taken', { field: 'username', code: 'NotUnique' }],
  );
  assert.equal(parseV3Error(502, 'Bad gateway\n<html>').message, 'Bad gateway');
});

test('a refused connection is told in words', () => {
  const cause = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
  assert.match(explainNetwork('https://a', new Error('fetch failed', { cause })), /nothing answers at https:\/\/a/);
});

test('both languages have the same messages with the same places', () => {
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
  assert.deepEqual(Object.keys(tables.zh).sort(), Object.keys(tables.en).sort());
  for (const [key, text] of Object.entries(tables.en))
    assert.deepEqual(places(tables.zh[key as keyof typeof tables.en]), places(text), key);
  assert.equal(languageOf({ LANG: 'zh_CN.UTF-8' }), 'zh');
  assert.equal(say('signedOut', { url: 'https://a' }, 'zh'), '已退出 https://a。');
});

test('bash completes commands, subcommands and flags from the table', () => {
  const script = completionScript(buildProgram(), 'bash');
  const complete = (...words: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${script}\nCOMP_WORDS=(drover ${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _drover; echo "\${COMPREPLY[*]}"`,
      ],
      { encoding: 'utf8' },
    ).trim();
  assert.equal(
    complete('kubec'),
    'kubectl kubeconfig'
      .split(' ')
      .filter(name => name.startsWith('kubec'))
      .join(' '),
  );
  assert.equal(complete('clusters', 'de'), 'describe delete');
  assert.equal(complete('kubeconfig', '--st'), '--static');
  assert.equal(complete('users', 'list', '--o'), '--output');
});

test('an unknown shell is refused', () =>
  assert.throws(() => completionScript(buildProgram(), 'tcsh'), { reason: 'Invalid' }));

test('every command has a description', () => {
  const program = buildProgram();
  for (const command of [...program.commands, ...program.commands.flatMap(sub => sub.commands)])
    assert.ok(command.description(), command.name());
});
