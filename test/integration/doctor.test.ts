/**
 * What doctor says when something on the way is wrong: each fault made for real, with nginx as the reverse proxy that ends
 * TLS, and the one cause named with nothing beside it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@drover/base';
import { ensureCa, issueCert } from '@drover/engine';
import { adminPassword, type ServerProcess, startServer } from '../server-process.ts';
import { startChild } from './child.ts';
import { type CommandLine, cliMain, makeCommandLine } from './command-line.ts';
import { freePort } from './kube-apiserver.ts';

let server: ServerProcess;
let shell: CommandLine;
let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'drover-doctor-'));
  shell = await makeCommandLine();
  server = await startServer();
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await shell?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const isThere = (name: string) =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].some(folder => existsSync(join(folder, name)));
const missing = (name: string) => (isThere(name) ? false : `${name} is not installed`);

async function login(url: string, ca: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const file = join(dir, 'ca.pem');
  await writeFile(file, ca);
  const args = ['login', url, '--name', 'here', '-u', 'admin', '--password-stdin', '--ca-file', file];
  await shell.ok(args, { input: adminPassword, env });
}

/** The findings that are wrong, as `check: what was seen`, and the last check that was made. */
async function wrongs(options: { env?: NodeJS.ProcessEnv; under?: readonly string[] } = {}) {
  const ran = await shell.run(['doctor', '-o', 'json'], options);
  const findings = JSON.parse(ran.stdout) as { check: string; ok: boolean; seen: string; todo?: string }[];
  const wrong = findings.filter(({ ok }) => !ok);
  assert.equal(ran.code, wrong.length === 0 ? 0 : 1);
  for (const { check, todo } of wrong) assert.ok(todo, `${check} says what to do`);
  return { wrong: wrong.map(({ check, seen }) => `${check}: ${seen}`), last: findings.at(-1)!.check, findings };
}

test('a way that is in order has nothing wrong', async () => {
  await login(server.url, server.ca);
  assert.deepEqual((await wrongs()).wrong, []);
});

test('another CA than the one trusted is said once, and nothing is sent', async () => {
  const other = await ensureCa(join(dir, 'other'), 'ca', 'drover-ca');
  await login(server.url, server.ca);
  const path = join(shell.home, '.config/drover/config.json');
  const config = JSON.parse(await readFile(path, 'utf8'));
  config.servers.here.ca = other.cert;
  await writeFile(path, JSON.stringify(config));
  const { wrong, last } = await wrongs();
  assert.deepEqual([wrong.length, last], [1, 'TLS trust']);
  assert.match(wrong[0]!, /not by the CA you trusted, but by another .*: nothing is sent to it/);
});

for (const [offset, check, seen] of [
  ['+3 hours', 'Clock', /10\d\d\d s ahead of the server’s/],
  ['+30 years', 'TLS trust', /has expired/],
  ['-30 years', 'TLS trust', /not valid yet by this machine's clock/],
] as const) {
  test(`a clock at ${offset} is named as the cause`, { skip: missing('faketime') }, async () => {
    await login(server.url, server.ca);
    const { wrong, last, findings } = await wrongs({
      under: ['faketime', '-f', offset.replace(' hours', 'h').replace(' years', 'y')],
    });
    assert.match(wrong.find(text => text.startsWith(check)) ?? '', seen, wrong.join('\n'));
    assert.equal(last === 'TLS trust', check === 'TLS trust');
    if (check !== 'Clock') assert.match(findings.find(({ ok }) => !ok)!.todo!, /it is .* here: .* set this clock/);
  });
}

test('a stopped server is one finding, not one a check', async () => {
  const stopped = await startServer();
  await login(stopped.url, stopped.ca);
  await stopped[Symbol.asyncDispose]();
  const { wrong, last } = await wrongs();
  assert.deepEqual([wrong.length, last], [1, 'TCP']);
  assert.match(wrong[0]!, /nothing answers at https:\/\/127\.0\.0\.1/);
  assert.match((await shell.run(['doctor'])).stderr, /Not tried.*: TLS, HTTP, WebSocket, Sign-in, Clusters/);
});

test('HTTPS_PROXY is gone through by every command, and named when it does not answer', async t => {
  const asked: string[] = [];
  let refuses = false;
  const proxy = createServer();
  proxy.on('connect', (incoming, near: Socket) => {
    asked.push(incoming.url!);
    near.on('error', () => {});
    if (refuses) return near.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const far = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
      near.write('HTTP/1.1 200 OK\r\n\r\n');
      near.pipe(far).pipe(near);
    });
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => proxy.close());
  // Loopback is never proxied, so the server goes by this machine's name, which only the proxy need know.
  const url = `https://${hostname()}:${new URL(server.url).port}`;
  const HTTPS_PROXY = `http://user:swordfish@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const env = { HTTPS_PROXY };
  await login(url, server.ca, env);
  assert.match(await shell.ok(['whoami'], { env }), /admin/);
  const { wrong, findings } = await wrongs({ env });
  assert.deepEqual(wrong, []);
  assert.match(findings[0]!.seen, /by 127\.0\.0\.1:\d+, which HTTPS_PROXY names/);
  assert.deepEqual([...new Set(asked)], [new URL(url).host]);

  refuses = true;
  const refused = await wrongs({ env });
  assert.deepEqual([refused.wrong.length, refused.last], [1, 'Proxy']);
  assert.match(refused.wrong[0]!, /it answered 403/);
  const away = await wrongs({ env: { HTTPS_PROXY: `http://user:swordfish@127.0.0.1:${await freePort()}` } });
  assert.deepEqual([away.wrong.length, away.last], [1, 'Proxy']);
  const gone = await shell.run(['whoami'], { env: { HTTPS_PROXY: `http://user:swordfish@127.0.0.1:1` } });
  assert.match(gone.stderr, /the proxy 127\.0\.0\.1:1, which HTTPS_PROXY names, can't be reached/);
  assert.doesNotMatch(JSON.stringify([away, refused, gone]), /swordfish/);
});

const upgrades = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;';

/** nginx that ends TLS with a certificate of its own and passes on to the server; ends with the scope. */
async function startNginx(target: string, settings: string) {
  const scope = new AsyncDisposableStack();
  const own = await mkdtemp(join(dir, 'nginx-'));
  const ca = await ensureCa(own, 'ca', 'proxy-ca');
  const pair = await issueCert(ca, { commonName: 'proxy', dnsNames: ['localhost'], usages: ['server'] });
  await writeFile(join(own, 'cert.pem'), pair.cert);
  await writeFile(join(own, 'key.pem'), pair.key.reveal(), { mode: 0o600 });
  const port = await freePort();
  const conf = `daemon off; master_process off; pid ${own}/pid; error_log ${own}/error.log;
events {}
http {
  access_log off;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  client_body_temp_path ${own}/body; proxy_temp_path ${own}/proxy; fastcgi_temp_path ${own}/fastcgi;
  uwsgi_temp_path ${own}/uwsgi; scgi_temp_path ${own}/scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${own}/cert.pem; ssl_certificate_key ${own}/key.pem;
    location / { proxy_pass ${target}; proxy_http_version 1.1; proxy_set_header Host $http_host; ${settings} }
  }
}`;
  await writeFile(join(own, 'nginx.conf'), conf);
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
  const child = scope.use(
    await startChild('nginx', ['-p', own, '-c', join(own, 'nginx.conf')], { logPath: join(own, 'log'), env }),
  );
  const answers = () =>
    new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await until('nginx to answer', answers, { timeoutMs: 30_000, everyMs: 20 }).catch(async error => {
    await scope[Symbol.asyncDispose]();
    throw new Error(`${error.message}: ${await child.tail()}`);
  });
  return { url: `https://localhost:${port}`, ca: ca.cert, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

test('behind nginx that ends TLS and passes upgrades all is well', { skip: missing('nginx') }, async () => {
  await using nginx = await startNginx(server.url, upgrades);
  await login(nginx.url, nginx.ca);
  assert.deepEqual((await wrongs()).wrong, []);
});

test('nginx that does not pass upgrades is told from a server that does not answer', {
  skip: missing('nginx'),
}, async () => {
  await using nginx = await startNginx(server.url, '');
  await login(nginx.url, nginx.ca);
  const { wrong } = await wrongs();
  assert.equal(wrong.length, 1);
  assert.match(wrong[0]!, /^WebSocket: an upgrade does not reach the server as one/);
});

test('nginx with no server behind it is named by what it answers', { skip: missing('nginx') }, async () => {
  const stopped = await startServer();
  await using nginx = await startNginx(stopped.url, upgrades);
  await login(nginx.url, nginx.ca);
  await stopped[Symbol.asyncDispose]();
  const { wrong, last, findings } = await wrongs();
  assert.equal(wrong.length, 1, wrong.join('\n'));
  assert.match(wrong[0]!, /^HTTP: \/ping answers 502 by nginx/);
  assert.ok(['HTTP', 'Clock'].includes(last));
  assert.match(findings.find(({ ok }) => !ok)!.todo!, /reaches no Drover behind it/);
});

test('output into a pipe that is closed early ends quietly', async () => {
  await login(server.url, server.ca);
  const script = `'${process.execPath}' "$0" settings list -o json | true`;
  const env = { PATH: process.env['PATH'], HOME: shell.home };
  execFileSync('/bin/bash', ['-c', `${script}; exit \${PIPESTATUS[0]}`, cliMain], { env, stdio: 'pipe' });
});
