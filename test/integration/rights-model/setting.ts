/**
 * One beginning of the model test: users, clusters, projects, roles and bindings, in the server and in the model alike. What an earlier one
 * left is removed first.
 */
import { issueToken } from '@drover/server';
import type { TestApi } from '../../../packages/server/src/api/fixture.ts';
import type { Beginning, GlobalDraft, SubjectDraft, TemplateDraft } from './input.ts';
import type { NamespacesStandIn } from './namespaces-stand-in.ts';
import type { Binding, GlobalRole, Rule, Subject, Template, World } from './world.ts';

export interface Model {
  readonly world: World;
  /** In the order of their making, by which calls name them; what is gone stays in its place. */
  readonly users: string[];
  readonly clusters: string[];
  readonly projects: string[];
  readonly templates: string[];
  readonly globalRoles: string[];
  readonly bindings: string[];
  readonly namespaces: string[];
  readonly groups: readonly string[];
  /** Of users that no binding names by it alone. */
  readonly principals: string[];
}

export interface Real {
  readonly api: TestApi;
  readonly namespaces: NamespacesStandIn;
  readonly tokens: Map<string, string>;
  readonly scimToken: string;
  /** The SCIM group that one user may be put into, and whom the provider keeps. */
  readonly group: string;
  readonly provided: string;
}

export const at = <T>(list: readonly T[], index: number): T => list[index % list.length]!;

const builtinTemplates = [
  'project-owner',
  'project-member',
  'cluster-owner',
  'cluster-member',
  'view',
  'secrets-manage',
  'projectroletemplatebindings-manage',
];
const builtinGlobals = ['user', 'user', 'users-manage', 'roles-manage', 'settings-manage', 'admin'];
const groupOf = 'okta_group://dev';

/** What the server was opened with, by which all that came later is known. */
export interface Ground {
  readonly templates: ReadonlyMap<string, Template>;
  readonly globalRoles: ReadonlyMap<string, GlobalRole>;
  readonly adminId: string;
  readonly scimToken: string;
}

export async function readGround(api: TestApi): Promise<Ground> {
  await api.resources.create('authConfig', {
    metadata: { name: 'okta' },
    configType: 'oktaConfig',
    enabled: true,
  } as never);
  await api.resources.create('authConfig', {
    metadata: { name: 'ping' },
    configType: 'pingConfig',
    enabled: true,
  } as never);
  await api.resources.create('cluster', { metadata: { name: 'local' }, spec: { displayName: 'local' } } as never);
  const read = async (path: string) => (await api.want(200, 'GET', `/v3/${path}?limit=1000`)).data as Shown[];
  const list = <T>(value: unknown) => (value ?? []) as T[];
  return {
    adminId: api.adminId,
    scimToken: (await api.want(201, 'POST', '/v1-scim-token/okta')).token,
    templates: new Map(
      (await read('roletemplates')).map(one => [
        one.id,
        {
          builtin: one['builtin'] === true,
          context: String(one['context'] ?? ''),
          rules: list<Rule>(one['rules']),
          externalRules: list<Rule>(one['externalRules']),
          inherits: list<string>(one['roleTemplateIds']),
          external: one['external'] === true,
          locked: one['locked'] === true,
        },
      ]),
    ),
    globalRoles: new Map(
      (await read('globalroles')).map(one => [
        one.id,
        { builtin: true, rules: list<Rule>(one['rules']), inNamespaces: {}, inEveryCluster: [] },
      ]),
    ),
  };
}

interface Shown {
  readonly id: string;
  readonly [field: string]: unknown;
}

const kinds = [
  'globalRoleBinding',
  'clusterRoleTemplateBinding',
  'projectRoleTemplateBinding',
  'globalRole',
  'roleTemplate',
  'project',
  'cluster',
  'scimGroup',
  'userAttribute',
  'token',
  'user',
] as const;

/** Takes away all that is not the server's own. */
async function clear({ resources, caches, adminId }: TestApi, ground: Ground): Promise<void> {
  for (const kind of kinds)
    for (const one of [...caches[kind].all()]) {
      const { name, namespace } = one.metadata;
      const fields = one as unknown as Record<string, unknown>;
      if (ground.templates.has(name) || ground.globalRoles.has(name) || name === 'local') continue;
      if (name === adminId || fields['userName'] === adminId || fields['userId'] === adminId) continue;
      await resources.delete(kind, { name, namespace });
    }
  for (const [name, { locked }] of ground.templates)
    await resources.modify('roleTemplate', { name }, seen =>
      seen.locked === locked ? undefined : { ...seen, locked },
    );
}

/** Both sides, afresh. */
export async function begin(
  api: TestApi,
  namespaces: NamespacesStandIn,
  { ground, beginning }: { ground: Ground; beginning: Beginning },
): Promise<{ model: Model; real: Real }> {
  await clear(api, ground);
  const { resources } = api;
  const world: World = {
    users: new Map([[api.adminId, { principals: [`local://${api.adminId}`], groups: [], provided: false }]]),
    globalRoles: new Map(ground.globalRoles),
    templates: new Map(ground.templates),
    bindings: new Map(),
    clusters: new Set(['local']),
    projects: new Set(),
    namespaces: new Map(),
  };
  const model: Model = {
    world,
    users: [],
    clusters: [],
    projects: [],
    templates: [],
    globalRoles: [],
    bindings: [],
    namespaces: [],
    groups: [groupOf, 'system:authenticated', groupOf, 'okta_group://ops'],
    principals: [],
  };
  const note = (userId: string) => {
    // What the server gave by itself: the admin's role, and what is for whoever comes from elsewhere.
    for (const { metadata, userName, globalRoleName: role = '' } of api.caches.globalRoleBinding.all())
      if (userName === userId)
        world.bindings.set(metadata.name, { kind: 'global', where: '', role, subject: `user ${userId}` });
  };
  note(api.adminId);
  const tokens = new Map<string, string>();
  const signIn = async (userId: string) => {
    // One that outlives a change of the password.
    const { bearer } = await issueToken(
      { resources, caches: api.caches, settings: api.settings },
      { userId, kind: 'derived' },
    );
    tokens.set(userId, bearer.reveal());
  };
  const give = async (userId: string) => {
    await signIn(userId);
    model.users.push(userId);
  };
  await signIn(api.adminId);
  for (const username of ['ann', 'ben', 'cleo']) {
    const principal = `openldap_user://${username}`;
    const { metadata } = await resources.create('user', { metadata: {}, username, enabled: true });
    const principals = [`local://${metadata.name}`, principal];
    await resources.modify('user', metadata, seen => ({ ...seen, principalIds: principals }));
    world.users.set(metadata.name, { principals, groups: [], provided: false });
    model.principals.push(principal);
    await give(metadata.name);
  }
  const scim = { as: ground.scimToken };
  const eva = await api.want(201, 'POST', '/v1-scim/okta/Users', { ...scim, body: { userName: 'eva' } });
  const group = await api.want(201, 'POST', '/v1-scim/okta/Groups', { ...scim, body: { displayName: 'dev' } });
  world.users.set(eva.id, { principals: [`local://${eva.id}`, 'okta_user://eva'], groups: [], provided: true });
  model.principals.push('okta_user://eva');
  note(eva.id);
  await give(eva.id);
  for (const displayName of ['one', 'two']) {
    const { metadata } = await resources.create('cluster', { metadata: {}, spec: { displayName } } as never);
    model.clusters.push(metadata.name);
    world.clusters.add(metadata.name);
  }
  model.clusters.push('local');
  for (const [index, displayName] of ['shop', 'web', 'other'].entries()) {
    const clusterName = model.clusters[index >> 1]!;
    const spec = { displayName, clusterName };
    const { metadata } = await resources.create('project', { metadata: { namespace: clusterName }, spec } as never);
    const id = `${clusterName}:${metadata.name}`;
    model.projects.push(id);
    world.projects.add(id);
    const name = `ns-${index}`;
    namespaces.put(clusterName, name, index === 1 ? undefined : id);
    world.namespaces.set(`${clusterName} ${name}`, index === 1 ? undefined : id);
    model.namespaces.push(`${clusterName} ${name}`);
  }
  const bind = async (
    kind: Binding['kind'],
    where: string,
    { role, subject }: { role: string; subject: SubjectDraft },
  ) => {
    const named = subjectOf(model, subject);
    const fields = subjectFields(named);
    const made =
      kind === 'global'
        ? await resources.create('globalRoleBinding', { metadata: {}, globalRoleName: role, ...fields })
        : kind === 'cluster'
          ? await resources.create('clusterRoleTemplateBinding', {
              metadata: { namespace: where },
              clusterName: where,
              roleTemplateName: role,
              ...fields,
            })
          : await resources.create('projectRoleTemplateBinding', {
              metadata: { namespace: where.replace(':', '-') },
              projectName: where,
              roleTemplateName: role,
              ...fields,
            });
    const { name, namespace } = made.metadata;
    const id = namespace === undefined ? name : `${namespace}:${name}`;
    world.bindings.set(id, { kind, where, role, subject: named });
    model.bindings.push(id);
  };
  for (const draft of beginning.templates) {
    const template = templateOf(model, draft);
    const { metadata } = await resources.create('roleTemplate', {
      metadata: {},
      displayName: 'custom',
      clusterCreatorDefault: false,
      projectCreatorDefault: false,
      ...storedTemplate(template),
    });
    world.templates.set(metadata.name, template);
    model.templates.push(metadata.name);
  }
  // The custom ones are named more often.
  model.templates.push(...builtinTemplates);
  for (const { draft, subject } of beginning.globals) {
    const role = globalOf(model, draft);
    const { metadata } = await resources.create('globalRole', {
      metadata: {},
      displayName: 'custom',
      newUserDefault: false,
      ...storedGlobal(role),
    });
    world.globalRoles.set(metadata.name, role);
    model.globalRoles.push(metadata.name);
    await bind('global', '', { role: metadata.name, subject });
  }
  model.globalRoles.push(...builtinGlobals);
  for (const { cluster, role, subject } of beginning.inClusters)
    await bind('cluster', at(model.clusters, cluster), { role: at(model.templates, role), subject });
  for (const { project, role, subject } of beginning.inProjects)
    await bind('project', at(model.projects, project), { role: at(model.templates, role), subject });
  const real: Real = { api, namespaces, tokens, scimToken: ground.scimToken, group: group.id, provided: eva.id };
  return { model, real };
}

export function subjectOf({ users, groups, principals }: Model, { kind, at: index }: SubjectDraft): Subject {
  if (kind === 'user') return `user ${at(users, index)}`;
  return kind === 'group' ? `group ${at(groups, index)}` : `principal ${at(principals, index)}`;
}

/** As a binding holds it in the store. */
export function subjectFields(subject: Subject): Record<string, string> {
  const [kind = '', name = ''] = subject.split(/ (.*)/);
  const field = { user: 'userName', principal: 'userPrincipalName', group: 'groupPrincipalName' }[kind]!;
  return { [field]: name };
}

export function templateOf({ templates }: Model, { inherits, ...draft }: TemplateDraft): Template {
  const names = templates.length === 0 ? [] : inherits.map((index: number) => at(templates, index));
  return { ...draft, builtin: false, inherits: [...new Set(names)] };
}

export const storedTemplate = ({ context, rules, externalRules, inherits, external, locked }: Template) => ({
  ...(context === 'cluster' || context === 'project' ? ({ context } as const) : {}),
  rules,
  externalRules,
  roleTemplateNames: inherits,
  external,
  locked,
});

export function globalOf({ clusters, templates }: Model, draft: GlobalDraft): GlobalRole {
  const { inNamespace, inEveryCluster, rules } = draft;
  return {
    builtin: false,
    rules,
    inNamespaces: inNamespace ? { [at(clusters, inNamespace.cluster)]: inNamespace.rules } : {},
    inEveryCluster: inEveryCluster.map(index => at(templates, index)),
  };
}

export const storedGlobal = ({ rules, inNamespaces, inEveryCluster }: GlobalRole) => ({
  rules,
  namespacedRules: inNamespaces,
  inheritedClusterRoles: inEveryCluster,
});
