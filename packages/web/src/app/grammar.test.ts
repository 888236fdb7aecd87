/** What terminals have taught people works here as well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandAddress, parseCommand } from './grammar.ts';

test('a command names a kind, namespaces, a filter and a cluster in any order', () => {
  assert.equal(parseCommand('pods'), undefined);
  assert.deepEqual(parseCommand(':po'), { kind: 'po', namespaces: [], filter: '' });
  assert.deepEqual(parseCommand(':Deploy shop /web !old -l app=web @prod'), {
    kind: 'deploy',
    namespaces: ['shop'],
    filter: 'web !old -l app=web',
    cluster: 'prod',
  });
  assert.deepEqual(parseCommand(':po -f web other')?.namespaces, ['other']);
});

test('it leads to the list that it means', () => {
  const command = parseCommand(':po shop /web')!;
  assert.equal(commandAddress('c-1', 'pods', command), '/c/c-1/pods?ns=shop&q=web');
  assert.equal(commandAddress(undefined, 'pods', command), '/across/pods?q=web');
});
