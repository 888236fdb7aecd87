/** Policy rules: what they allow, and what a set of them holds of another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstMissing, isEverything, type PolicyRule, rulesAllow } from './rules.ts';

const rule = (apiGroups: string[], resources: string[], verbs: string[], resourceNames?: string[]): PolicyRule => ({
  apiGroups,
  resources,
  verbs,
  ...(resourceNames ? { resourceNames } : {}),
});
const everything = rule(['*'], ['*'], ['*']);

const allowed: [PolicyRule, verb: string, group: string, resource: string, name: string | undefined, boolean][] = [
  [everything, 'delete', 'apps', 'deployments', undefined, true],
  [rule(['apps'], ['deployments'], ['get']), 'get', 'apps', 'deployments', 'a', true],
  [rule(['apps'], ['deployments'], ['get']), 'get', 'extensions', 'deployments', 'a', false],
  [rule([''], ['pods'], ['get']), 'get', '', 'pods/exec', 'a', false],
  [rule([''], ['*'], ['get']), 'get', '', 'pods/exec', 'a', true],
  [rule([''], ['*/scale'], ['get']), 'get', '', 'deployments/scale', 'a', true],
  [rule([''], ['users'], ['impersonate'], ['ann']), 'impersonate', '', 'users', 'ann', true],
  [rule([''], ['users'], ['impersonate'], ['ann']), 'impersonate', '', 'users', 'bob', false],
  [rule([''], ['users'], ['list'], ['ann']), 'list', '', 'users', undefined, false],
  [{ verbs: ['*'], nonResourceURLs: ['*'] }, 'get', '', 'pods', undefined, false],
];
for (const [one, verb, group, resource, name, expected] of allowed) {
  test(`${JSON.stringify(one)} ${expected ? 'allows' : 'does not allow'} ${verb} ${resource}.${group} ${name ?? ''}`, () => {
    assert.equal(rulesAllow([one], verb, { group, resource, name }), expected);
  });
}

test('what is missing is named', () => {
  const held = [rule(['apps'], ['deployments'], ['get', 'list'])];
  assert.equal(firstMissing(held, [rule(['apps'], ['deployments'], ['get'])]), undefined);
  assert.equal(firstMissing(held, [rule(['apps'], ['deployments'], ['get', 'delete'])]), 'delete on deployments.apps');
  assert.equal(firstMissing(held, [rule(['*'], ['deployments'], ['get'])]), 'get on deployments.*');
  assert.equal(firstMissing([rule([''], ['pods'], ['get'], ['a'])], [rule([''], ['pods'], ['get'])]), 'get on pods');
  assert.equal(firstMissing([everything], [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]), 'get on /metrics');
  const urls = [{ verbs: ['get'], nonResourceURLs: ['/healthz/*'] }];
  assert.equal(firstMissing(urls, [{ verbs: ['get'], nonResourceURLs: ['/healthz/etcd'] }]), undefined);
});

test('everything is everything only without names', () => {
  assert.equal(isEverything([everything]), true);
  assert.equal(isEverything([{ ...everything, resourceNames: ['a'] }]), false);
  assert.equal(isEverything([rule(['*'], ['*'], ['get', 'list'])]), false);
});

const words = (all: string[]) => fc.subarray(all, { minLength: 1 });
const anyRule = fc.record({
  apiGroups: words(['', 'apps', '*']),
  resources: words(['pods', 'pods/exec', 'nodes', '*']),
  verbs: words(['get', 'delete', '*']),
  resourceNames: fc.option(words(['a', 'b']), { nil: undefined }),
});

test('rules that hold all of others allow everything that those allow', () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 3 }), fc.array(anyRule, { maxLength: 3 }), (held, wanted) => {
      if (firstMissing(held, wanted) !== undefined) return;
      for (const group of ['', 'apps', 'other'])
        for (const resource of ['pods', 'pods/exec', 'nodes', 'secrets'])
          for (const verb of ['get', 'delete', 'create'])
            for (const name of [undefined, 'a', 'b', 'c'])
              if (rulesAllow(wanted, verb, { group, resource, name }))
                assert.ok(rulesAllow(held, verb, { group, resource, name }), `${verb} ${resource}.${group} ${name}`);
    }),
    { numRuns: 2000 },
  );
});
