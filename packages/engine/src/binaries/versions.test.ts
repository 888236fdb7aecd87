/** That the versions told to people are those that are built. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goModuleDir, readGoModule } from './go-build.ts';
import { defaultMinor, kubernetesVersions, parseKubernetes } from './versions.ts';

test('each minor has files that build it, the default one those of the module itself', async () => {
  const found = Object.fromEntries(
    await Promise.all(
      Object.keys(kubernetesVersions).map(async minor => [minor, (await readGoModule(goModuleDir, minor))?.version]),
    ),
  );
  assert.deepEqual(found, kubernetesVersions);
  const own = await readGoModule(goModuleDir);
  assert.equal(own?.version, kubernetesVersions[defaultMinor]);
  assert.equal(own?.modFile, 'go.mod');
  const keys = await Promise.all(
    Object.keys(kubernetesVersions).map(async minor => (await readGoModule(goModuleDir, minor))?.key),
  );
  assert.equal(new Set(keys).size, keys.length);
});

test('a minor is its version, an exact version itself, and what is neither is said', () => {
  assert.deepEqual(parseKubernetes('1.37', 'f'), { minor: '1.37', version: 'v1.37.2' });
  assert.deepEqual(parseKubernetes('v1.36.0', 'f'), { minor: '1.36', version: 'v1.36.0' });
  for (const [text, message] of [
    ['1.20', /1\.20 is none of 1\.35 \(v1\.35\.4\), /],
    ['latest', /latest is no version such as/],
    ['v1.37.2/../x', /no version/],
    ['', /no version/],
  ] as const)
    assert.throws(() => parseKubernetes(text, 'f'), message);
});
