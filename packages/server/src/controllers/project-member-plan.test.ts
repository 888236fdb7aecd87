/** Grants in projects as a cluster's RBAC: in each of their namespaces, and nowhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoleTemplate } from '@drover/api';
import type { Subject } from './member-plan.ts';
import { planProjectMembers } from './project-member-plan.ts';

const template = (name: string, more: object = {}): RoleTemplate =>
  ({ apiVersion: 'management.cattle.io/v3', kind: 'RoleTemplate', metadata: { name }, ...more }) as RoleTemplate;
const user = (name: string): Subject => ({ kind: 'User', name });
const grant = (name: string, projectId: string, roleTemplateName: string, subjects = [user('u-1')]) => ({
  subjects,
  projectId,
  roleTemplateName,
  owner: `c-1-p-1_${name}`,
});

const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
const templates = new Map(
  [
    template('view', { external: true }),
    template('reader', { rules: [pods], roleTemplateNames: ['view'] }),
    template('maker', { rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create'] }] }),
    template('guard', {
      rules: [{ apiGroups: ['management.cattle.io'], resources: ['projects'], verbs: ['updatepsa'] }],
    }),
    template('wide', {
      rules: [
        { apiGroups: ['*'], resources: ['*'], verbs: ['get'] },
        {
          apiGroups: ['storage.k8s.io'],
          resources: ['storageclasses', 'other'],
          verbs: ['list'],
          resourceNames: ['a'],
        },
      ],
    }),
  ].map(one => [one.metadata.name, one]),
);
const plan = (given: readonly ReturnType<typeof grant>[], namespaces: Readonly<Record<string, string[]>>) =>
  planProjectMembers({
    installUuid: 'install',
    given,
    template: name => templates.get(name),
    namespacesOf: id => namespaces[id] ?? [],
  });
const short = (
  all: readonly {
    metadata: { namespace?: string };
    roleRef: { name: string };
    subjects: readonly { name: string }[];
  }[],
) =>
  all
    .map(({ metadata, roleRef, subjects }) => `${metadata.namespace ?? '*'} ${roleRef.name} ${subjects[0]!.name}`)
    .sort();

test('a grant holds in each namespace of its project, with what its role inherits, and in no other', () => {
  const { roles, bindings, clusterBindings } = plan([grant('a', 'c-1:p-1', 'reader')], {
    'c-1:p-1': ['shop', 'web'],
    'c-1:p-2': ['elsewhere'],
  });
  assert.deepEqual(short(bindings), ['shop reader u-1', 'shop view u-1', 'web reader u-1', 'web view u-1']);
  assert.deepEqual(roles.map(role => role.metadata.name).sort(), ['p-1-namespaces-readonly', 'reader']);
  assert.deepEqual(short(clusterBindings), ['* p-1-namespaces-readonly u-1']);
  const names = new Set(bindings.map(({ metadata }) => metadata.name));
  assert.equal(names.size, 4, 'each has a name of its own');
  assert.match([...names][0]!, /^rb-[a-z2-7]{10}$/);
  const [role] = roles.filter(({ metadata }) => metadata.name === 'p-1-namespaces-readonly');
  assert.deepEqual(role!.rules, [
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get'], resourceNames: ['shop', 'web'] },
  ]);
});

test('a project without namespaces gives no rule about namespaces: one without names would mean all', () => {
  const { roles, bindings, clusterBindings } = plan([grant('a', 'c-1:p-1', 'reader')], {});
  assert.deepEqual([bindings, clusterBindings], [[], []]);
  assert.deepEqual(
    roles.map(role => role.metadata.name),
    ['reader'],
  );
});

test('whoever may make namespaces gets that, and the whole of those in his project', () => {
  const { roles, clusterBindings } = plan([grant('a', 'c-1:p-1', 'maker')], { 'c-1:p-1': ['shop'] });
  assert.deepEqual(short(clusterBindings), ['* create-ns u-1', '* p-1-namespaces-edit u-1']);
  const make = roles.find(({ metadata }) => metadata.name === 'create-ns');
  assert.deepEqual(make!.rules, [{ apiGroups: [''], resources: ['namespaces'], verbs: ['create'] }]);
  const edit = roles.find(({ metadata }) => metadata.name === 'p-1-namespaces-edit');
  assert.deepEqual(edit!.rules, [
    { apiGroups: [''], resources: ['namespaces'], verbs: ['*'], resourceNames: ['shop'] },
    {
      apiGroups: ['management.cattle.io'],
      resources: ['projects'],
      verbs: ['manage-namespaces'],
      resourceNames: ['p-1'],
    },
  ]);
});

test('whoever makes the first namespace of a project may put it there, and has no rule about any other', () => {
  const { roles } = plan([grant('a', 'c-1:p-1', 'maker')], {});
  const edit = roles.find(({ metadata }) => metadata.name === 'p-1-namespaces-edit');
  const rules = edit!.rules as { resources: string[]; resourceNames?: string[] }[];
  assert.deepEqual(
    rules.map(({ resources, resourceNames }) => `${resources} ${resourceNames}`),
    ['projects p-1'],
  );
});

test('who may set the pod security of a project’s namespaces may in its cluster, of that project', () => {
  const { roles, clusterBindings } = plan([grant('a', 'c-1:p-1', 'guard')], { 'c-1:p-1': ['shop'] });
  assert.ok(short(clusterBindings).includes('* p-1-namespaces-psa u-1'));
  const { rules } = roles.find(({ metadata }) => metadata.name === 'p-1-namespaces-psa')!;
  assert.deepEqual(rules, [
    { apiGroups: ['management.cattle.io'], resources: ['projects'], verbs: ['updatepsa'], resourceNames: ['p-1'] },
  ]);
});

test('of what has no namespace only some things are a project role’s to give', () => {
  const { roles, clusterBindings } = plan([grant('a', 'c-1:p-1', 'wide')], { 'c-1:p-1': ['shop'] });
  assert.ok(short(clusterBindings).includes('* wide-promoted u-1'));
  const rules = roles.find(({ metadata }) => metadata.name === 'wide-promoted')!.rules as {
    resources: string[];
    verbs: string[];
    resourceNames?: string[];
  }[];
  const said = rules.map(({ resources, verbs, resourceNames }) =>
    `${resources} ${verbs} ${resourceNames ?? ''}`.trim(),
  );
  assert.deepEqual(said.sort(), [
    'apiservices get',
    'clusterrepos get',
    'navlinks get',
    'nodes get',
    'persistentvolumes get',
    'storageclasses get',
    'storageclasses list a',
  ]);
});

test('groups are bound by their principal, and grants for nobody or of no role are none', () => {
  const { bindings } = plan(
    [
      grant('a', 'c-1:p-1', 'reader', [{ kind: 'Group', name: 'ldap_group://cn=x' }]),
      grant('b', 'c-1:p-1', 'reader', []),
      grant('d', 'c-1:p-1', 'gone', [user('u-2')]),
    ],
    { 'c-1:p-1': ['shop'] },
  );
  assert.deepEqual(short(bindings), ['shop reader ldap_group://cn=x', 'shop view ldap_group://cn=x']);
});
