/** The agent's guard: no request without a user, none for a part of Kubernetes itself, none for the agent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkIdentity, subjectOfToken } from './identity-gate.ts';

const own = 'system:serviceaccount:cattle-system:cattle';

test('people, service accounts and the controllers pass', () => {
  for (const user of ['u-abc', 'system:serviceaccount:a:b', 'system:anonymous', 'system:drover:controllers', 'Ünïcode'])
    checkIdentity(['Accept', '*/*', 'impersonate-USER', user, 'Impersonate-Group', 'system:authenticated'], own);
});

test('everything else is refused', () => {
  const refused: string[][] = [
    [],
    ['Authorization', 'Bearer x'],
    ['Impersonate-User', ''],
    ['Impersonate-User', ' '],
    ['Impersonate-Group', 'a'],
    ['Impersonate-User', 'a', 'impersonate-user', 'b'],
    ['Impersonate-User', 'a', 'Impersonate-Group', 'system:masters'],
    ['Impersonate-User', 'a', 'IMPERSONATE-GROUP', 'b', 'Impersonate-Group', 'system:nodes'],
    ['Impersonate-User', 'system:kube-scheduler'],
    ['Impersonate-User', 'system:node:n1'],
    ['Impersonate-User', own],
  ];
  for (const raw of refused) assert.throws(() => checkIdentity(raw, own), { status: 403 }, raw.join(' '));
});

test('whose token it is is read from its claims', () => {
  const claims = Buffer.from(JSON.stringify({ sub: own })).toString('base64url');
  assert.equal(subjectOfToken(`e30.${claims}.x`), own);
  assert.equal(subjectOfToken('opaque'), undefined);
});
