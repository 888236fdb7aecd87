/**
 * Canaries: every kind of secret that the server takes or makes is used, in success and in failure, at the most talkative
 * log level; then all that it keeps, logs and answers is searched for them. None may be found.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '@drover/base';
import { adminPassword, startServer } from '../server-process.ts';

const canary = (name: string) => `canary${name}${'x'.repeat(10)}`;

/** Every form that a secret could be found in. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex'), encodeURIComponent(secret)];
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
}

test('no secret is found in data, logs or answers', async () => {
  await using server = await startServer({ env: { DROVER_LOG_LEVEL: 'trace' } });
  const secrets = new Map<string, string>([['bootstrap password', adminPassword]]);
  const answers: string[] = [];
  const keep = (name: string, secret: string) =>
    secrets.set(name, secret.includes(':') ? secret.split(':')[1]! : secret);
  const ask = async (token: string, method: string, path: string, body?: unknown) => {
    const answer = await server.fetch(method, path, { token, body });
    return answer.body;
  };
  /** Asks, and keeps the answer to be searched. */
  const seen = async (token: string, method: string, path: string, body?: unknown) => {
    const answer = await ask(token, method, path, body);
    answers.push(typeof answer === 'string' ? answer : JSON.stringify(answer));
    return answer;
  };

  const admin = await server.login();
  keep('session token', admin);
  keep('user password', canary('Password'));
  const user = await seen(admin, 'POST', '/v3/users', { username: 'carl', password: canary('Password') });
  keep('second password', canary('Second'));
  await seen(admin, 'POST', `/v3/users/${user.id}?action=setpassword`, { newPassword: canary('Second') });
  const carl = await server.login('carl', canary('Second'));
  keep('his session', carl);
  keep('third password', canary('Third'));
  await seen(carl, 'POST', '/v3/users?action=changepassword', {
    currentPassword: canary('Second'),
    newPassword: canary('Third'),
  });
  keep('refused password', canary('Refused'));
  const refused = await server.fetch('POST', '/v3-public/localProviders/local?action=login', {
    body: { username: 'carl', password: canary('Refused') },
  });
  answers.push(JSON.stringify(refused.body));
  keep('password of a bad request', canary('Bad'));
  await seen(admin, 'POST', '/v3/users', { username: { password: canary('Bad') }, password: canary('Bad') });
  keep('password used as a name', canary('Name'));
  answers.push(
    JSON.stringify(
      (await server.fetch('POST', '/v1-public/login', { body: { type: canary('Name'), password: canary('Name') } }))
        .body,
    ),
  );

  keep('derived token', (await ask(admin, 'POST', '/v3/tokens', { type: 'token', description: 'd' })).token);
  keep('bearer that is none', canary('Bearer'));
  answers.push(JSON.stringify((await server.fetch('GET', '/v3', { token: `token-abcde:${canary('Bearer')}` })).body));
  const basic = Buffer.from(`token-abcde:${canary('Basic')}`).toString('base64');
  keep('basic that is none', canary('Basic'));
  answers.push(
    JSON.stringify((await server.fetch('GET', '/v3', { headers: { authorization: `Basic ${basic}` } })).body),
  );
  keep('cookie that is none', canary('Cookie'));
  answers.push(
    JSON.stringify(
      (await server.fetch('GET', '/v3', { headers: { cookie: `R_SESS=token-abcde:${canary('Cookie')}` } })).body,
    ),
  );

  const cluster = await seen(admin, 'POST', '/v3/clusters', { type: 'cluster', name: 'canaries' });
  const registration = await until('the registration token', async () => {
    const tokens = await ask(admin, 'GET', `/v3/clusters/${cluster.id}/clusterregistrationtokens`);
    return tokens.data[0]?.token as string | undefined;
  });
  keep('registration token', registration);
  await server.fetch('GET', `/v3/import/${registration}_${cluster.id}.yaml`);
  keep('registration token that is none', canary('Import'));
  answers.push(String((await server.fetch('GET', `/v3/import/${canary('Import')}_${cluster.id}.yaml`)).body));
  const config = await ask(admin, 'POST', `/v3/clusters/${cluster.id}?action=generateKubeconfig`, {});
  keep('kubeconfig token', /token: "([^"]+)"/.exec(config.config)![1]!);
  keep('service-account token', canary('ServiceAccount'));
  const params = { cluster: { address: '10.0.0.1:443', token: canary('ServiceAccount'), caCert: 'not base64!' } };
  const headers = {
    'x-api-tunnel-token': registration,
    'x-api-tunnel-params': Buffer.from(JSON.stringify(params)).toString('base64'),
  };
  answers.push(JSON.stringify((await server.fetch('GET', '/v3/connect/register', { headers })).body));
  answers.push(
    JSON.stringify((await server.fetch('GET', `/k8s/clusters/${cluster.id}/api/v1/secrets`, { token: admin })).body),
  );

  for (const path of [
    'users',
    'tokens',
    'settings',
    'clusters',
    'principals',
    'globalRoleBindings',
    'schemas',
    'clusterRoleTemplateBindings',
  ]) {
    await seen(admin, 'GET', `/v3/${path}`);
  }
  await seen(carl, 'GET', '/v3/clusterregistrationtokens');
  await seen(admin, 'GET', '/metrics');

  const found: string[] = [];
  const search = (where: string, text: string) => {
    for (const [name, secret] of secrets)
      for (const form of forms(secret)) if (text.includes(form)) found.push(`${name} in ${where}`);
  };
  await server.stop();
  search('the log', server.output);
  for (const answer of answers) search(`an answer: ${answer.slice(0, 80)}`, answer);
  for (const file of await filesBelow(server.dataDir)) {
    if (!file.endsWith('secrets.key')) search(file, await readFile(file, 'latin1'));
  }
  assert.ok(secrets.size >= 15);
  assert.deepEqual(found, []);
});
