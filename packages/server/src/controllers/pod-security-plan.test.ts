/** Pod security planned: a template's labels come, change and go, and nobody else's do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource } from '@drover/base';
import { planPodSecurity } from './pod-security-plan.ts';

const label = (name: string) => `pod-security.kubernetes.io/${name}`;

function namespace(name: string, labels: Record<string, string> = {}, set?: Record<string, string>): Resource {
  const annotations: Record<string, string> = set ? { 'drover.io/pod-security': JSON.stringify(set) } : {};
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } };
}

const template = (defaults: object, namespaces: string[] = []) => ({
  configuration: { defaults, exemptions: { namespaces } },
});

test('what says nothing of its own gets the defaults, exempt ones and the system’s get none', () => {
  const strict = template({ enforce: 'restricted', 'enforce-version': 'latest', warn: '' }, ['free']);
  const patches = planPodSecurity([namespace('shop'), namespace('free'), namespace('kube-system')], strict);
  const labels = { [label('enforce')]: 'restricted', [label('enforce-version')]: 'latest' };
  assert.deepEqual(patches, [{ name: 'shop', labels, annotation: JSON.stringify(labels) }]);
  assert.deepEqual(planPodSecurity([namespace('shop', labels, labels)], strict), [], 'a later look changes nothing');
});

test('what somebody wrote stays, and its version with it', () => {
  const strict = template({ enforce: 'restricted', 'enforce-version': 'latest', warn: 'restricted' });
  const [patch] = planPodSecurity([namespace('shop', { [label('enforce')]: 'baseline' })], strict);
  assert.deepEqual(patch!.labels, { [label('warn')]: 'restricted' });
});

test('labels follow the template, and go with it; one that was changed by hand is somebody’s own from then on', () => {
  const set = { [label('enforce')]: 'restricted', [label('warn')]: 'restricted' };
  const seen = namespace('shop', { ...set, [label('warn')]: 'baseline' }, set);
  const [next] = planPodSecurity([seen], template({ enforce: 'baseline', warn: 'restricted' }));
  assert.deepEqual(next!.labels, { [label('enforce')]: 'baseline' });
  const [none] = planPodSecurity([seen], undefined);
  assert.deepEqual(none, { name: 'shop', labels: { [label('enforce')]: null }, annotation: null });
  const [exempt] = planPodSecurity([seen], template({ enforce: 'restricted' }, ['shop']));
  assert.deepEqual(exempt!.labels, { [label('enforce')]: null });
});
