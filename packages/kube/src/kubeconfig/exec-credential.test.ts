/** Exec plugins: real programs that are run, cached, renewed, and told about when they fail. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hasReason, messageOf, Secret } from '@drover/base';
import { type ExecOptions, execCredentials } from './exec-credential.ts';
import type { ExecEntry } from './kubeconfig.ts';

const apiVersion = 'client.authentication.k8s.io/v1';

/** A plugin that is a shell script; each run adds a line to `runs`. */
async function plugin(
  t: TestContext,
  script: string,
  more: Partial<ExecEntry> = {},
  options: Partial<ExecOptions> = {},
) {
  const dir = await mkdtemp(join(tmpdir(), 'drover-exec-'));
  t.after(() => rm(dir, { recursive: true }));
  const runs = join(dir, 'runs');
  await writeFile(join(dir, 'plugin'), `#!/bin/sh\necho run >>${runs}\n${script}\n`, { mode: 0o755 });
  const entry = { apiVersion, command: join(dir, 'plugin'), interactiveMode: 'Never' as const, ...more };
  const credentials = execCredentials(entry, { source: 'f: user "u"', ...options });
  return { credentials, countRuns: async () => (await readFile(runs, 'utf8')).trim().split('\n').length };
}

const answer = (status: object) => `echo '${JSON.stringify({ kind: 'ExecCredential', apiVersion, status })}'`;

test('a plugin is run once for many who ask, again when it expires and when its token is rejected', async t => {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const script = answer({ token: 'T', expirationTimestamp: '2030-01-01T01:00:00Z' }).replace(
    'T"',
    `'"$(wc -l <$0.n)"'"`,
  );
  const { credentials, countRuns } = await plugin(t, `echo >>$0.n\n${script}`, {}, { now: () => now });
  const [one, two] = await Promise.all([credentials.get(), credentials.get()]);
  assert.equal(one.token?.reveal(), two.token?.reveal());
  assert.equal(await countRuns(), 1);
  await credentials.get({ rejected: one.token });
  assert.equal(await countRuns(), 2);
  // Rejected is what went out before: the newer one is still good.
  await credentials.get({ rejected: new Secret(one.token!.reveal()) });
  assert.equal(await countRuns(), 2);
  now += 3_595_000;
  await credentials.get();
  assert.equal(await countRuns(), 3);
});

test('a plugin gets its arguments, environment and, if it asks, the cluster', async t => {
  const script = `printf '{"kind":"ExecCredential","apiVersion":"${apiVersion}","status":{"token":"%s"}}' "$1-$EXTRA-$(echo "$KUBERNETES_EXEC_INFO" | tr -d '"' | tr ':' '=')"`;
  const { credentials } = await plugin(
    t,
    script,
    { args: ['a1'], env: [{ name: 'EXTRA', value: 'e1' }], provideClusterInfo: true },
    { cluster: { server: 'S' } },
  );
  const token = (await credentials.get()).token!.reveal();
  assert.equal(
    token,
    `a1-e1-{apiVersion=${apiVersion},kind=ExecCredential,spec={interactive=false,cluster={server=S}}}`,
  );
});

test('a plugin may give a client certificate', async t => {
  const { credentials } = await plugin(t, answer({ clientCertificateData: 'C', clientKeyData: 'K' }));
  const { identity, token } = await credentials.get();
  assert.deepEqual([identity?.cert, identity?.key.reveal(), token], ['C', 'K', undefined]);
});

const failures: [string, string, RegExp][] = [
  ['fails', 'echo "please sign in" >&2; exit 3', /the plugin .* ended with 3: please sign in/],
  ['does not give JSON', 'echo hunter2', /answer is not JSON/],
  ['gives something else', 'echo \'{"kind":"Pod","token":"hunter2"}\'', /is no ExecCredential/],
  ['gives another version', answer({ token: 'hunter2' }).replace('/v1', '/v1beta1'), /must have apiVersion .*\/v1,/],
  ['gives nothing', answer({}), /has no credential/],
  ['gives half a certificate', answer({ clientKeyData: 'hunter2' }), /only one of/],
  ['gives no time', answer({ token: 'hunter2', expirationTimestamp: 'soon' }), /no RFC 3339 time/],
  ['writes without end', 'cat /dev/zero', /writes more than a credential/],
];

for (const [what, script, message] of failures) {
  test(`a plugin that ${what} is told about, its output not`, async t => {
    const { credentials } = await plugin(t, script);
    await assert.rejects(credentials.get(), error => {
      assert.ok(hasReason(error, 'ServiceUnavailable'));
      assert.match(error.message, /^f: user "u": the plugin/);
      assert.match(error.message, message);
      assert.doesNotMatch(messageOf(error), /hunter2/);
      return true;
    });
  });
}

test('a plugin that is not installed is named, with the hint of the kubeconfig', async t => {
  const { credentials } = await plugin(t, '', { command: 'drover-no-such-plugin', installHint: 'Get it at the desk.' });
  await assert.rejects(
    credentials.get(),
    /f: user "u": the plugin drover-no-such-plugin is not installed in any of .*\. Get it at the desk\./,
  );
});

test('a plugin that has to ask something is not run without a terminal', async t => {
  const { credentials } = await plugin(
    t,
    answer({ token: 't' }),
    { interactiveMode: 'Always' },
    { interactive: false },
  );
  await assert.rejects(credentials.get(), /there is no terminal/);
});
