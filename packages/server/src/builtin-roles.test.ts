/**
 * The built-in roles, held to a page that people can review: whoever changes what a role may do changes that page too. Run
 * with UPDATE_VECTORS=1 to write it anew.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { silentLog } from '@drover/base';
import { FieldCipher, newSecretsKey, openSqliteStore } from '@drover/store';
import builtin from '../data/builtin-roles.json' with { type: 'json' };
import { ensureBuiltinRoles } from './builtin-roles.ts';
import { createCaches, Resources, startCaches } from './resources/index.ts';

const page = new URL('../../../test/vectors/v3/builtin-roles.txt', import.meta.url);

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs?: readonly string[];
}

function ruleLine({
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
  verbs = [],
}: Rule): string {
  const what =
    nonResourceURLs.length > 0
      ? nonResourceURLs.join(',')
      : `${resources.join(',')} of ${apiGroups.map(group => group || 'core').join(',')}`;
  return `  ${[...verbs].sort().join(',')}: ${what}${resourceNames.length > 0 ? ` named ${resourceNames.join(',')}` : ''}`;
}

function review(): string {
  const flags = [
    'newUserDefault',
    'clusterCreatorDefault',
    'projectCreatorDefault',
    'external',
    'hidden',
    'locked',
    'administrative',
  ];
  const lines: string[] = [];
  for (const [kind, roles] of Object.entries(builtin) as [
    string,
    (Record<string, unknown> & { id: string; rules?: Rule[] })[],
  ][]) {
    for (const role of roles) {
      const set = flags.filter(flag => role[flag] === true);
      const inherits = (role['roleTemplateIds'] as string[] | undefined) ?? [];
      lines.push(
        `${kind} ${role.id}${role['context'] ? ` in a ${role['context']}` : ''}${set.length > 0 ? ` [${set.join(' ')}]` : ''}${inherits.length > 0 ? ` with ${inherits.join(', ')}` : ''}`,
      );
      lines.push(...(role.rules ?? []).map(ruleLine));
    }
  }
  return `${lines.join('\n')}\n`;
}

test('the built-in roles are those that were reviewed', async () => {
  if (process.env['UPDATE_VECTORS']) await writeFile(page, review());
  assert.equal(review(), await readFile(page, 'utf8'));
});

test('only the admin may do everything, and only owners what is in a cluster', () => {
  const everything = (rules: Rule[] = []) =>
    rules.some(rule => rule.apiGroups?.includes('*') && rule.resources?.includes('*') && rule.verbs?.includes('*'));
  const all = Object.values(builtin).flat() as { id: string; rules?: Rule[] }[];
  assert.deepEqual(
    all.filter(role => everything(role.rules)).map(role => role.id),
    ['admin', 'cluster-owner'],
  );
});

test('who is new, or in a project, reads catalogs, drivers and settings at most: only who may everything writes them', () => {
  const shared =
    /^(?:\*|catalogs?|clusterrepos|templates|templateversions|nodedrivers|kontainerdrivers|settings|features|authconfigs)$/i;
  const written = (rules: Rule[] = []) =>
    rules.filter(
      ({ resources = [], apiGroups = [], verbs = [] }) =>
        resources.some(name => shared.test(name)) &&
        apiGroups.some(group => ['*', 'catalog.cattle.io', 'management.cattle.io'].includes(group)) &&
        verbs.some(verb => !['get', 'list', 'watch'].includes(verb)),
    );
  const given = [
    ...builtin.globalRoles.filter(role => (role as { newUserDefault?: boolean }).newUserDefault),
    ...builtin.globalRoles.filter(({ id }) => ['user', 'user-base', 'clusters-create'].includes(id)),
    ...builtin.roleTemplates.filter(role => (role as { context?: string }).context === 'project'),
  ] as { id: string; rules?: Rule[] }[];
  assert.ok(given.length > 5);
  assert.deepEqual(
    given.flatMap(({ id, rules }) => written(rules).map(rule => `${id}${ruleLine(rule)}`)),
    [],
  );
});

test('they are made once, kept as an admin set their switches, and get new rules', async () => {
  await using store = await openSqliteStore({ path: ':memory:' });
  const stop = new AbortController();
  const resources = new Resources(store, new FieldCipher([newSecretsKey()]));
  const caches = createCaches(resources, silentLog);
  await startCaches(caches, stop.signal);
  await ensureBuiltinRoles(resources, caches);
  assert.equal(caches.globalRole.size, builtin.globalRoles.length);
  assert.equal(caches.roleTemplate.size, builtin.roleTemplates.length);
  await resources.modify('roleTemplate', { name: 'cluster-member' }, role => ({ ...role, locked: true, rules: [] }));
  const before = await store.revision();
  await ensureBuiltinRoles(resources, caches);
  const member = caches.roleTemplate.get('cluster-member')!;
  assert.equal(member.locked, true);
  assert.ok(member.rules!.length > 0);
  assert.equal(await store.revision(), before + 1);
  stop.abort();
});
