/** Which versions a cluster may go to from which. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRestoredVersion, checkVersions } from './check-versions.ts';

for (const [wanted, running, refusal] of [
  ['v1.36.3', [], undefined],
  ['v1.36.3', ['v1.36.3', 'v1.36.3'], undefined],
  ['v1.36.2', ['v1.36.3'], undefined],
  ['v1.37.2', ['v1.36.3', 'v1.37.2'], undefined],
  ['v1.37.2', ['v1.36.3', ''], undefined],
  ['v2.0.0', ['v1.37.2'], /more than one minor above v1\.37\.2/],
  ['v1.37.2', ['v1.35.4', 'v1.35.4'], /more than one minor above v1\.35\.4, which runs: go to 1\.36/],
  ['v1.37.2', ['v1.36.3', 'v1.35.4', 'v1.36.3'], /above v1\.35\.4/],
  ['v1.36.3', ['v1.36.3', 'v1.37.2'], /older than v1\.37\.2, which runs/],
  ['v1.10.0', ['v1.9.9'], undefined],
] as const)
  test(`to ${wanted} from ${running.join(', ') || 'nothing'} ${refusal ? 'is refused' : 'is all right'}`, () => {
    if (refusal) assert.throws(() => checkVersions(wanted, running), refusal);
    else checkVersions(wanted, running);
  });

for (const [wanted, madeUnder, refusal] of [
  ['v1.36.3', 'v1.36.3', undefined],
  ['v1.36.1', 'v1.36.3', undefined],
  ['v1.37.2', 'v1.36.3', undefined],
  ['v1.37.2', '', undefined],
  ['v1.36.3', 'v1.37.2', /is v1\.36\.3, .*made under v1\.37\.2: an older Kubernetes.* Restore it to v1\.37\.2/],
  ['v1.37.2', 'v1.35.4', /made under v1\.35\.4: that is more than one minor .* Restore it to v1\.35\.4/],
  ['v1.10.0', 'v1.9.9', undefined],
] as const)
  test(`a snapshot of ${madeUnder || 'nobody knows which version'} to ${wanted} ${refusal ? 'is refused' : 'is all right'}`, () => {
    if (refusal) assert.throws(() => checkRestoredVersion(wanted, madeUnder), refusal);
    else checkRestoredVersion(wanted, madeUnder);
  });
