/** What is done with a cluster on hosts, and what is waited for: a line for each rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManagedNode } from '@drover/api';
import { decide, failedAgain, type Seen, waitsForHosts } from './decide.ts';

const now = 1_000_000;
const node = (name: string, registeredAt = 0): ManagedNode =>
  ({
    metadata: { name: `m-${name}`, creationTimestamp: new Date(registeredAt).toISOString() },
    spec: { requestedHostname: name },
    status: { hostIdentity: { key: name } },
  }) as unknown as ManagedNode;
const made: Seen = {
  plan: { leaving: [], awayHosts: [], isHeadless: false },
  digest: 'd',
  progress: { applied: 'd', nodes: ['a'] },
  isMade: true,
  request: undefined,
  ending: [],
  needsAgents: false,
  failure: undefined,
  now,
};
const plan = (more: Partial<Seen['plan']>): Seen['plan'] => ({ ...made.plan, ...more });
const away = plan({ away: 'waiting for h', awayHosts: ['h'] });
const waits = { kind: 'wait', message: 'waiting for h', afterMs: 15_000 };
const behind = { ...made.progress, behind: ['h'] };
const work = (operation: string, up = true, what = 'd:') => ({ kind: 'work', what, up, operation });

for (const [name, seen, decision] of [
  ['a cluster that is as it shall be is left alone', {}, { kind: 'rest' }],
  ['one that was never made is made', { isMade: false, progress: {} }, work('provision')],
  ['so is one that nobody said so of', { isMade: false }, work('provision')],
  ['what differs is brought about', { digest: 'e' }, work('update', true, 'e:')],
  ['a node that leaves is taken out', { plan: plan({ leaving: [node('a')] }) }, work('update')],
  ['one that was never in it is not', { plan: plan({ leaving: [node('b')] }) }, { kind: 'rest' }],
  ['certificates near their end are renewed with nobody asking', { ending: ['kube-proxy'] }, work('renew')],
  ['its agent alone takes no run of the engine', { needsAgents: true }, work('agents', false)],
  [
    'an action is its own operation',
    { request: 'rotateCertificates' },
    work('rotateCertificates', true, 'd:rotateCertificates'),
  ],
  ['hosts that are away are waited for', { digest: 'e', plan: away }, waits],
  ['so they are by an action', { request: 'rotateCertificates', plan: away }, waits],
  ['and by the agent', { needsAgents: true, plan: away }, waits],
  ['nobody waits for them where nothing is to be done', { plan: away }, { kind: 'rest' }],
  ['certificates near their end are renewed on those that are there', { ending: ['x'], plan: away }, work('renew')],
  ['not so beside a change', { ending: ['x'], digest: 'e', plan: away }, waits],
  ['nor with no control plane', { ending: ['x'], plan: { ...away, isHeadless: true } }, waits],
  ['one that was left out and is away still is let be', { progress: behind, plan: away }, { kind: 'rest' }],
  ['one that is back gets what it missed', { progress: behind }, work('renew')],
  [
    'so does each where a renewal broke off',
    { progress: { ...behind, behind: ['a', 'h'] }, plan: away, failure: { what: 'd:', times: 1, retryAt: now } },
    work('renew'),
  ],
  [
    'also while another is away',
    { progress: { ...behind, behind: ['h', 'i'] }, plan: { ...away, awayHosts: ['i'] } },
    work('renew'),
  ],
  [
    'what failed waits for its time',
    { digest: 'e', failure: { what: 'e:', times: 1, retryAt: now + 7 } },
    { kind: 'wait', afterMs: 7 },
  ],
  [
    'and is tried again then',
    { digest: 'e', failure: { what: 'e:', times: 1, retryAt: now } },
    work('update', true, 'e:'),
  ],
  [
    'something else is tried at once',
    { digest: 'e', failure: { what: 'd:', times: 9, retryAt: now + 7 } },
    work('update', true, 'e:'),
  ],
  [
    'so is an action',
    { request: 'restore', digest: 'e', failure: { what: 'e:', times: 9, retryAt: now + 7 } },
    work('restore', true, 'e:restore'),
  ],
] as const)
  test(name, () => assert.deepEqual(decide({ ...made, ...(seen as Partial<Seen>) }), decision));

test('a failure is tried again after half a minute, then more seldom, ten minutes at most', () => {
  let failure = failedAgain({ what: 'other', times: 9, retryAt: 0 }, 'd:', now);
  const seconds = [];
  for (let round = 0; round < 7; round++) {
    seconds.push((failure.retryAt - now) / 1000);
    failure = failedAgain(failure, 'd:', now);
  }
  assert.deepEqual(seconds, [30, 60, 120, 240, 480, 600, 600]);
});

test('hosts that are missing are waited for, and a moment for more than the first', () => {
  const seen = { isMade: false, nodes: [node('a', now - 9000), node('b', now - 1000)], now };
  assert.deepEqual(waitsForHosts({ missing: 'no etcd' }, seen), { message: 'no etcd' });
  assert.deepEqual(waitsForHosts({}, seen), { message: 'waiting a moment for more hosts', afterMs: 4000 });
  assert.equal(waitsForHosts({}, { ...seen, now: now + 4000 }), undefined);
  assert.equal(waitsForHosts({}, { ...seen, isMade: true }), undefined);
  assert.equal(waitsForHosts({}, { ...seen, nodes: [] }), undefined);
});
