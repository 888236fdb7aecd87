/**
 * What the server decides about the inside of clusters is what those clusters decide: every built-in role and two hundred that nobody
 * thought up, given in whatever way, held against two real clusters' own SubjectAccessReview. The seed is printed.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RoleTemplate } from '@drover/api';
import { type Resource, silentLog, until } from '@drover/base';
import { clusterRoleBindings, clusterRoles, namespaces, type ResourceRef, roleBindings } from '@drover/kube';
import { ClusterRbac, grantsAllowInside, type InsideWanted, type PolicyRule } from '@drover/server';
import fc from 'fast-check';
import { type Hub, startHub } from './hub.ts';
import { type ImportedCluster, importCluster, missingImportable, namespace } from './imported-cluster.ts';

const skip = missingImportable() ?? false;
const seed = Number(process.env['DROVER_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const customRoles = 200;
const questionsEach = 16;
const atOnce = 24;

/** Somebody with one grant of a role, and what is known of it. */
interface Person {
  readonly user: string;
  readonly groups: readonly string[];
  readonly principals: readonly string[];
  readonly role: string;
  /** Bindings that only the cluster knows, too. */
  readonly byHand: boolean;
}

interface Placed {
  readonly cluster: ImportedCluster;
  readonly projects: readonly [string, string];
}

interface World extends Placed, AsyncDisposable {
  readonly rbac: ClusterRbac;
}

let hub: Hub;
let worlds: World[];
const people: Person[] = [];
const stop = new AbortController();
const places = ['shop', 'web', 'other', 'loose'] as const;
const projectAt = ({ projects }: Placed, place: string | undefined): string | undefined =>
  place === 'shop' || place === 'web' ? projects[0] : place === 'other' ? projects[1] : undefined;

const groups = fc.constantFrom(
  [''],
  ['apps'],
  ['', 'apps'],
  ['*'],
  ['example.com'],
  ['storage.k8s.io'],
  ['rbac.authorization.k8s.io'],
);
const resources = fc.constantFrom(
  ...[
    ['pods'],
    ['pods', 'configmaps'],
    ['*'],
    ['pods/exec', 'pods/log'],
    ['*/scale'],
    ['deployments', 'deployments/scale'],
  ],
  ...[
    ['secrets'],
    ['nodes'],
    ['nodes', 'persistentvolumes'],
    ['namespaces'],
    ['storageclasses'],
    ['widgets'],
    ['widgets/*'],
    ['roles'],
  ],
);
const verbs = fc.constantFrom(
  ['get'],
  ['get', 'list', 'watch'],
  ['*'],
  ['create'],
  ['update', 'patch'],
  ['delete', 'deletecollection'],
  ['own'],
);
const resourceNames = fc.constantFrom(undefined, undefined, undefined, ['a'], ['shop'], ['a', 'b'], ['']);
const urls = fc.constantFrom(['/metrics'], ['/logs/*'], ['*'], ['/healthz', '/healthz/*']);
/** Some as no API takes them: by whatever way they came here, they may give nothing more there. */
const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ apiGroups: groups, resources, verbs, resourceNames }) },
  { weight: 2, arbitrary: fc.record({ nonResourceURLs: urls, verbs }) },
  { weight: 1, arbitrary: fc.record({ apiGroups: groups, resources, nonResourceURLs: urls, verbs }) },
  { weight: 1, arbitrary: fc.record({ resources, verbs }) },
  { weight: 1, arbitrary: fc.record({ apiGroups: groups, resources }) },
  {
    weight: 1,
    arbitrary: fc.constant({
      apiGroups: ['management.cattle.io'],
      resources: ['clusters', 'projects'],
      verbs: ['own'],
    }),
  },
);
const role = fc.record({
  rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
  context: fc.constantFrom('cluster' as const, 'project' as const),
  inherits: fc.array(fc.nat(), { maxLength: 2 }),
  external: fc.constantFrom(undefined, undefined, 'view', 'edit', 'admin'),
  subject: fc.constantFrom('user', 'principal', 'group', 'everywhere'),
  byHand: fc.constantFrom(false, false, true),
});

/** The same draw for the same seed. */
const draw = <T>(arbitrary: fc.Arbitrary<T>, count: number, more: number): T[] =>
  fc.sample(arbitrary, { numRuns: count, seed: seed + more });

before(async () => {
  if (skip) return;
  console.log(`seed: ${seed} (DROVER_SEED repeats it)`);
  hub = await startHub({ builtinRoles: true });
  worlds = [];
  const builtin = [...hub.caches.roleTemplate.all()];
  const made = draw(role, customRoles, 1);
  for (const [index, { rules, context, inherits, external }] of made.entries()) {
    const inherited = index === 0 ? [] : inherits.map(number => `custom-${number % index}`);
    await hub.resources.create('roleTemplate', {
      metadata: { name: `custom-${index}` },
      displayName: `Custom ${index}`,
      context,
      rules: rules as RoleTemplate['rules'],
      roleTemplateNames: [...inherited, ...(external ? [external] : [])],
    });
  }
  const roles = [
    ...builtin.map(({ metadata, context }) => ({ id: metadata.name, context, subject: 'user', byHand: false })),
    ...made.map(({ context, subject, byHand }, index) => ({ id: `custom-${index}`, context, subject, byHand })),
  ];
  for (const [index, { id, subject, byHand }] of roles.entries()) {
    const principal = `ldap_user://cn=${index}`;
    const metadata = { name: `u-${index}` };
    if (subject === 'principal') await hub.resources.create('user', { metadata, principalIds: [principal] });
    people.push({
      user: metadata.name,
      groups: subject === 'group' ? [`ldap_group://cn=${index}`] : [],
      principals: subject === 'principal' ? [principal] : [],
      role: id,
      byHand,
    });
  }
  for (const id of Array.from(hub.caches.globalRole.all(), ({ metadata }) => metadata.name)) {
    const user = `u-${id}`;
    await hub.resources.create('globalRoleBinding', {
      metadata: { name: `grb-${id}` },
      globalRoleName: id,
      userName: user,
    });
    people.push({ user, groups: [], principals: [], role: id, byHand: false });
  }
  const grantAll = async (clusterId: string): Promise<[string, string]> => {
    const projects: string[] = [];
    for (const name of ['p-one', 'p-two']) {
      await hub.resources.create('project', {
        metadata: { name, namespace: clusterId },
        spec: { displayName: name, clusterName: clusterId },
      });
      projects.push(`${clusterId}:${name}`);
    }
    for (const [index, { id, context, subject }] of roles.entries()) {
      const {
        user,
        groups: [groupPrincipalName],
        principals: [userPrincipalName],
      } = people[index]!;
      const to = groupPrincipalName
        ? { groupPrincipalName }
        : userPrincipalName
          ? { userPrincipalName }
          : { userName: user };
      const binding = { roleTemplateName: id, ...to };
      if (subject === 'everywhere' && context === 'cluster') continue;
      if (context === 'project')
        await hub.resources.create('projectRoleTemplateBinding', {
          metadata: { name: `prtb-${index}`, namespace: `${clusterId}-p-one` },
          projectName: projects[0]!,
          ...binding,
        });
      else
        await hub.resources.create('clusterRoleTemplateBinding', {
          metadata: { name: `crtb-${index}`, namespace: clusterId },
          clusterName: clusterId,
          ...binding,
        });
    }
    return projects as [string, string];
  };
  for (const [index, { id, context, subject }] of roles.entries()) {
    if (subject !== 'everywhere' || context !== 'cluster') continue;
    const name = `everywhere-${index}`;
    await hub.resources.create('globalRole', {
      metadata: { name },
      displayName: name,
      rules: [],
      inheritedClusterRoles: [id],
    });
    await hub.resources.create('globalRoleBinding', {
      metadata: { name },
      globalRoleName: name,
      userName: `u-${index}`,
    });
  }
  for (const name of ['one', 'two']) {
    let projects: [string, string] | undefined;
    const before = async (id: string) => {
      projects = await grantAll(id);
    };
    const cluster = await importCluster(hub, name, { controllers: true, before });
    const world = { cluster, projects: projects! };
    await furnish(world);
    const rbac = new ClusterRbac(cluster.kube, { signal: stop.signal, log: silentLog });
    worlds.push({ ...world, rbac, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() });
  }
});
after(async () => {
  stop.abort(new Error('the test is over'));
  for (const world of worlds ?? []) await world[Symbol.asyncDispose]();
  await hub?.[Symbol.asyncDispose]();
});

const rbacApi = 'rbac.authorization.k8s.io';

/** Namespaces, roles that are added to Kubernetes' own by their labels, and bindings by somebody's hand. */
async function furnish(world: Placed): Promise<void> {
  const { kube } = world.cluster;
  for (const place of places) await kube.create(namespaces, namespace(place, projectAt(world, place)));
  const widgets = (to: string, verbs: string[]) => ({
    apiVersion: `${rbacApi}/v1`,
    kind: 'ClusterRole',
    metadata: { name: `widgets-${to}`, labels: { [`${rbacApi}/aggregate-to-${to}`]: 'true' } },
    rules: [{ apiGroups: ['example.com'], resources: ['widgets'], verbs }],
  });
  await kube.create(clusterRoles, widgets('view', ['get', 'list']) as Resource);
  await kube.create(clusterRoles, widgets('edit', ['update']) as Resource);
  for (const { user } of people.filter(({ byHand }) => byHand)) {
    const subjects = [{ kind: 'User', apiGroup: rbacApi, name: user }];
    const wide = user.length % 2 === 0;
    const [ref, metadata]: [ResourceRef, Resource['metadata']] = wide
      ? [clusterRoleBindings, { name: `hand-${user}` }]
      : [roleBindings, { name: `hand-${user}`, namespace: 'loose' }];
    const kind = wide ? 'ClusterRoleBinding' : 'RoleBinding';
    const roleRef = { apiGroup: rbacApi, kind: 'ClusterRole', name: wide ? 'system:node-bootstrapper' : 'edit' };
    await kube.create(ref, { apiVersion: `${rbacApi}/v1`, kind, metadata, roleRef, subjects } as Resource);
  }
}

interface Asked {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly place?: string;
  readonly name?: string;
  readonly url?: string;
}

const things: readonly [group: string, resource: string, namespaced: boolean][] = [
  ['', 'pods', true],
  ['', 'pods/exec', true],
  ['', 'pods/log', true],
  ['', 'configmaps', true],
  ['', 'secrets', true],
  ['', 'services/proxy', true],
  ['', 'persistentvolumeclaims', true],
  ['apps', 'deployments', true],
  ['apps', 'deployments/scale', true],
  [rbacApi, 'roles', true],
  ['example.com', 'widgets', true],
  ['example.com', 'widgets/status', true],
  ['', 'nodes', false],
  ['', 'nodes/proxy', false],
  ['', 'persistentvolumes', false],
  ['', 'namespaces', false],
  ['storage.k8s.io', 'storageclasses', false],
  ['apiregistration.k8s.io', 'apiservices', false],
  ['management.cattle.io', 'projects', false],
  ['management.cattle.io', 'clusters', false],
];
const thing = fc.constantFrom(...things).map(([group, resource, namespaced]) => ({ group, resource, namespaced }));
const anyVerb = fc.constantFrom(
  ...[
    'get',
    'get',
    'list',
    'watch',
    'create',
    'update',
    'patch',
    'delete',
    'deletecollection',
    'own',
    'manage-namespaces',
    'updatepsa',
    'bind',
  ],
);
const question: fc.Arbitrary<Asked> = fc
  .oneof(
    {
      weight: 9,
      arbitrary: fc.record({
        of: thing,
        verb: anyVerb,
        place: fc.constantFrom(undefined, 'shop', 'shop', ...places),
        name: fc.constantFrom(undefined, undefined, 'a', 'b', 'p-one', ...places),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        url: fc.constantFrom('/metrics', '/logs/x', '/healthz', '/healthz/etcd', '/livez'),
        verb: anyVerb,
      }),
    },
  )
  .map(drawn =>
    'url' in drawn
      ? { ...drawn, group: '', resource: '', namespaced: false }
      : { verb: drawn.verb, ...drawn.of, name: drawn.name, ...(drawn.of.namespaced ? { place: drawn.place } : {}) },
  );

/** As a real request is told: one about a namespace by its name is in that namespace. */
function review({ verb, group, resource, place, name, url }: Asked): object {
  if (url !== undefined) return { nonResourceAttributes: { verb, path: url } };
  const [plain, subresource] = resource.split('/');
  const namespaceOf = resource === 'namespaces' ? name : place;
  return { resourceAttributes: { verb, group, resource: plain, subresource, namespace: namespaceOf, name } };
}

/** The rules of Kubernetes' own roles, which the cluster alone knows. */
async function externalRules({ cluster }: World): Promise<Map<string, readonly PolicyRule[]>> {
  const { items } = await cluster.kube.list<Resource & { readonly rules?: readonly PolicyRule[] }>(clusterRoles);
  const external = new Set(
    [...hub.caches.roleTemplate.all()].filter(one => one.external).map(one => one.metadata.name),
  );
  return new Map(
    items.filter(({ metadata }) => external.has(metadata.name)).map(one => [one.metadata.name, one.rules ?? []]),
  );
}

function decide(
  world: World,
  person: Person,
  asked: Asked,
  external: ReadonlyMap<string, readonly PolicyRule[]>,
): boolean {
  const principals = [`local://${person.user}`, ...person.principals];
  const identity = { userId: person.user, groups: person.groups, extra: {}, principals };
  const { verb, group, resource, place, name, url } = asked;
  const isNamespace = resource === 'namespaces';
  const where = {
    verb,
    clusterId: world.cluster.id,
    projectId: projectAt(world, isNamespace ? name : place),
    ofProjectId: isNamespace ? projectAt(world, name) : undefined,
    external,
  };
  const wanted: InsideWanted =
    url === undefined ? { ...where, attributes: { group, resource, name } } : { ...where, url };
  return grantsAllowInside(hub.caches, hub.auth.access.grantsOf(identity), wanted);
}

async function inParallel<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const one of rest) await work(one);
    }),
  );
}

test('all built-in and 200 random roles hold in two clusters as the server says', { skip }, async () => {
  const everyone = [...people];
  const plain = new Map<string, Promise<boolean>>();
  const began = performance.now();
  let [asked, allowed, settling] = [0, 0, 0];
  for (const world of worlds) {
    await world.rbac.ready();
    const before = performance.now();
    await settled(world);
    settling += performance.now() - before;
    const external = await externalRules(world);
    await inParallel(everyone, async person => {
      const drawn = draw(question, questionsEach, 1000 + everyone.indexOf(person));
      const who = { user: person.user, groups: person.groups };
      const identity = {
        userId: person.user,
        groups: [...person.groups, 'system:authenticated', 'system:cattle:authenticated'],
        extra: {},
      };
      for (const one of drawn) {
        const what = review(one);
        const text = `${world.cluster.id} ${person.user} (${person.role}): ${JSON.stringify(one)}, seed ${seed}`;
        const theirs = await world.cluster.allows(who, what);
        // What everybody may, whoever he is, comes of the cluster's own bindings.
        const key = `${world.cluster.id} ${JSON.stringify(what)}`;
        if (!plain.has(key)) plain.set(key, world.cluster.allows({ user: 'u-nobody' }, what));
        if (!person.byHand)
          assert.equal(decide(world, person, one, external) || (await plain.get(key)), theirs, `by grants: ${text}`);
        if (one.url === undefined) {
          const place = { namespace: one.place, name: one.name };
          assert.equal(
            world.rbac.rightsOf(identity).may(one.verb, one, place),
            theirs,
            `by the cluster's roles: ${text}`,
          );
        }
        asked++;
        if (theirs) allowed++;
      }
    });
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `${asked} questions, ${allowed} allowed, ${seconds} s, of which ${Math.round(settling / 1000)} s for writing`,
  );
  assert.ok(allowed > asked / 20, 'questions that nobody is allowed prove little');
  assert.ok(allowed < asked / 2);
});

/** Resolves when both controllers have written their plans, and the cluster has taken them in. */
async function settled(world: World): Promise<void> {
  const { id } = world.cluster;
  await hub.resources.create('clusterRoleTemplateBinding', {
    metadata: { name: 'crtb-last', namespace: id },
    clusterName: id,
    roleTemplateName: 'nodes-view',
    userName: 'u-last',
  });
  await hub.resources.create('projectRoleTemplateBinding', {
    metadata: { name: 'prtb-last', namespace: `${id}-p-one` },
    projectName: world.projects[0],
    roleTemplateName: 'configmaps-view',
    userName: 'u-last',
  });
  const nodes = { resourceAttributes: { verb: 'get', resource: 'nodes' } };
  const configMaps = { resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'web' } };
  const widgets = { resourceAttributes: { verb: 'get', group: 'example.com', resource: 'widgets', namespace: 'web' } };
  const reader = people.find(person => person.role === 'view')!;
  const all: [object, string][] = [
    [nodes, 'u-last'],
    [configMaps, 'u-last'],
    [widgets, reader.user],
  ];
  for (const [what, user] of all)
    await until('what was given last, and what is aggregated', () => world.cluster.allows({ user }, what), {
      timeoutMs: 120_000,
    });
}
