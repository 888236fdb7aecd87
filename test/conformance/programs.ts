/** What conformance is judged with, built from its Go module once and kept: the tests, their runner, the programs of their images. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goBuildArguments, kubernetesVersions, runGo } from '@drover/engine';
import { cacheDir, root } from '../../tools/root.ts';

const moduleDir = join(root, 'tools/conformance');

/** By file name: what `go` is told to build, the tests as a test binary. */
const packages = {
  'conformance.test': '.',
  ginkgo: 'github.com/onsi/ginkgo/v2/ginkgo',
  agnhost: 'k8s.io/kubernetes/test/images/agnhost',
  nnp: 'k8s.io/kubernetes/test/images/nonewprivs',
  'sample-apiserver': 'k8s.io/sample-apiserver',
} as const;

export type Program = keyof typeof packages;

/** The paths of all; the first time takes ten minutes on two cores. Throws ServiceUnavailable where there is no Go. */
export async function buildPrograms(signal: AbortSignal): Promise<Readonly<Record<Program, string>>> {
  const sources = ['go.mod', 'go.sum', 'conformance_test.go'].map(name => readFile(join(moduleDir, name)));
  const key = createHash('sha256')
    .update(Buffer.concat(await Promise.all(sources)))
    .digest('hex')
    .slice(0, 12);
  const dir = cacheDir('conformance', key);
  await mkdir(dir, { recursive: true });
  const paths: Record<string, string> = {};
  // The tests ask whether the server's version is one that they know.
  const flags = goBuildArguments('kube-apiserver', kubernetesVersions['1.36']!);
  for (const [name, from] of Object.entries(packages)) {
    const path = join(dir, name);
    paths[name] = path;
    if (existsSync(path)) continue;
    const verb = name === 'conformance.test' ? ['test', '-c', '-vet=off'] : ['build'];
    await runGo(moduleDir, [...verb, ...flags, '-o', `${path}.part`, from], signal);
    await rename(`${path}.part`, path);
  }
  return paths as Record<Program, string>;
}

/** Where the module of Kubernetes lies, for the files of its images. */
export async function kubernetesSources(signal: AbortSignal): Promise<string> {
  const args = ['list', '-m', '-f', '{{.Dir}}', 'k8s.io/kubernetes'];
  return (await promisify(execFile)('go', args, { cwd: moduleDir, signal })).stdout.trim();
}
