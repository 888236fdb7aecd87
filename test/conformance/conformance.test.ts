/**
 * Kubernetes' own conformance tests on a cluster of two hosts that `drover rke up` made: side by side first, those that must be alone
 * after. `DROVER_CONFORMANCE=REGEXP` keeps those whose name matches. Takes one to two hours on two cores.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { defaultBundleDir, findBinaries, findNodeBinaries, runCommand as run } from '@drover/engine';
import { makeRkeFolder, nodeOf, type RkeFolder } from '../e2e/rke.ts';
import { clustersSkipReason, startHosts, type TestHost } from '../hosts/index.ts';
import { type Parts, writeConformanceImages } from './images.ts';
import { buildPrograms, kubernetesSources } from './programs.ts';
import { readReport, type Verdict } from './report.ts';

const minor = '1.36';
const only = process.env['DROVER_CONFORMANCE'] ?? '';
/** Tests that can't pass on these hosts or with these images, by a part of their name: why. */
const expected: Readonly<Record<string, string>> = {};

const skip = (await clustersSkipReason([minor])) ?? false;

test('a cluster of two hosts conforms', { skip }, async t => {
  const programs = await buildPrograms(t.signal);
  const parts = await findParts(programs, t.signal);
  const dir = await mkdtemp(join(tmpdir(), 'drover-conformance-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const names = await run(programs['conformance.test'], ['--list-images']);
  // One from elsewhere is about credentials for pulling: it must not be there.
  const wanted = names.split('\n').filter(name => name.startsWith('registry.k8s.io/'));
  const images = await writeConformanceImages(dir, wanted.sort(), parts);
  t.diagnostic(`no recipe for ${images.missing.join(', ')}`);

  const kubectl = join(defaultBundleDir(minor), 'bin/kubectl');
  await using world = await startHosts({ count: 2, signal: t.signal });
  await using folder = await makeRkeFolder(world, kubectl);
  const [first, second] = world.hosts as [TestHost, TestHost];
  await folder.write({
    nodes: [nodeOf(first, ['controlplane', 'etcd', 'worker']), nodeOf(second, ['worker'])],
    cluster_name: 'conformance',
  });
  const up = await folder.rke(['up']);
  assert.equal(up.code, 0, `${up.stderr}\n${JSON.stringify(up.events.at(-1))}`);
  for (const host of world.hosts) await importImages(host, images.files);
  await folder.kubectl(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=120s']);

  const both = { programs, folder, kubectl, dir };
  const verdicts = [
    ...(await runTests({ ...both, procs: 6, focus: only, skip: '\\[Serial\\]|\\[Disruptive\\]' })),
    ...(await runTests({
      ...both,
      procs: 1,
      focus: `${only}.*\\[Serial\\]|\\[Serial\\].*${only}`,
      skip: '\\[Disruptive\\]',
    })),
  ];
  const failed = verdicts.filter(({ state }) => state === 'failed');
  t.diagnostic(`${verdicts.length - failed.length} of ${verdicts.length} conformance tests passed`);
  for (const { name, message, seconds } of failed) t.diagnostic(`failed after ${seconds} s: ${name}: ${message}`);
  const surprising = failed.filter(({ name }) => !Object.keys(expected).some(part => name.includes(part)));
  assert.deepEqual(
    surprising.map(({ name, message }) => `${name}: ${message}`),
    [],
  );
  assert.ok(verdicts.length > 0, 'no test was chosen');
});

async function findParts(programs: Parts['programs'], signal: AbortSignal): Promise<Parts> {
  const [{ dir }, node, sources] = await Promise.all([
    findBinaries({ names: ['etcd', 'pause'], signal }),
    findNodeBinaries(['coredns'], { signal }),
    kubernetesSources(signal),
  ]);
  return { programs, pause: join(dir, 'pause'), etcd: join(dir, 'etcd'), coredns: node['coredns']!.path, sources };
}

async function importImages(host: TestHost, files: readonly string[]): Promise<void> {
  const ctr = 'ctr=$(ls /opt/drover/*/bin/ctr | head -1)';
  for (const file of files) {
    await host.put(file, basename(file));
    const script = `${ctr}; $ctr --address /run/drover/containerd.sock --namespace k8s.io images import /opt/${basename(file)} && rm /opt/${basename(file)}`;
    await host.exec(['sh', '-c', script]);
  }
}

interface RunOptions {
  readonly programs: Parts['programs'];
  readonly folder: RkeFolder;
  readonly kubectl: string;
  readonly dir: string;
  readonly procs: number;
  readonly focus: string;
  readonly skip: string;
}

async function runTests({ programs, folder, kubectl, dir, procs, focus, skip }: RunOptions): Promise<Verdict[]> {
  const report = `report-${procs}.json`;
  const runner = [
    ...['run', `--procs=${procs}`, '--timeout=4h', '--no-color', '--succinct', '--flake-attempts=2'],
    ...['--label-filter=Conformance', ...(focus === '' ? [] : [`--focus=${focus}`]), `--skip=${skip}`],
    ...[`--output-dir=${dir}`, `--json-report=${report}`, programs['conformance.test']],
  ];
  const tests = ['--provider=skeleton', `--kubeconfig=${join(folder.dir, 'kube_config_cluster.yml')}`];
  const child = spawn(programs.ginkgo, [...runner, '--', ...tests, `--kubectl-path=${kubectl}`], {
    cwd: dir,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await once(child, 'close');
  const text = await readFile(join(dir, report), 'utf8').catch(() => undefined);
  return text === undefined ? [] : readReport(join(dir, report));
}
