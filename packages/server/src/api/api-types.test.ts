/**
 * docs/api-types.md, held to what the server serves of all that clients know: each type is served, or the page says which
 * area it waits for. Run with UPDATE_VECTORS=1 to write it anew.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { schemaFields } from '@drover/api';
import { configuredProviders } from '../auth-providers/providers.ts';
import { servedTypes } from './registry.ts';

interface KnownType {
  readonly path: '/v3' | '/v3/cluster' | '/v3/project' | '/v3-public';
  readonly id: string;
  readonly pluralName: string;
  /** The generations of the API that have it. */
  readonly generations: readonly string[];
}

const root = new URL('../../../../', import.meta.url);
const page = new URL('docs/api-types.md', root);
const known = JSON.parse(readFileSync(new URL('test/vectors/v3/types.json', root), 'utf8')) as KnownType[];

/** Fields and actions of types that are served, and are not there yet; the first that fits. */
const parts: readonly (readonly [why: string, names: RegExp])[] = [
  ['clusters of clouds are imported', /^cluster\.(aks|ali|eks|gke)(Config|Status)$/],
  [
    'building clusters',
    /^cluster\.(applied|failed|certificatesExpiration|capabilities|clusterTemplate|customConfig|dockerRootDir|importedConfig|k3sConfig|nodeVersion|questions|answers|rancherKubernetesEngineConfig|readyReconciling|rke2Config|backupEtcd|restoreFromEtcdBackup|rotate|saveAsTemplate|\w*Secret|clusterSecrets|windowsPreferedCluster)|^node\.(customConfig|dockerInfo|appliedNodeVersion|nodePlan|nodePoolId|nodeTemplateId|scaledown|sshUser)/,
  ],
  ['settings of agents', /^cluster\.(agent|assets|authImage|desired|\w*DeploymentCustomization$)/],
  ['many clusters as one', /\.(fleet\w*|inheritedFleetWorkspacePermissions)$/],
  ['monitoring, alerts and logging', /[mM]onitoring|[aA]lerting|^cluster\.istioEnabled$/],
  ['scans and security policies', /[sS]ecurityPolicy|security|[sS]can|CisRun/],
  ['roles within every cluster by namespace', /\.inheritedNamespacedRules$/],
  ['left out: what is bound is told by the roles in the cluster', /\.defaultClusterRoleForProjectMembers$/],
  ['left out: it has no state of its own here', /(Binding|Role|NetworkPolicy)\.status$/],
  ['left out: a feature holds as soon as it is set', /^feature\.(state|transitioning)/],
  ['left out: drivers are of the server, nothing is downloaded', /^nodeDriver\.status$|^kontainerDriver\.refresh$/],
  ['left out: no provider gives any', /^principal\.extraInfo$/],
  ['left out: the time is in its metadata', /^token\.lastUpdateTime$/],
  ['left out: it is under /v1, as the cluster itself has it', /^(node|cluster)\./],
];

interface KnownSchema {
  readonly fields: object;
  readonly resourceActions: object;
  readonly collectionActions: object;
}

const schemas = JSON.parse(readFileSync(new URL('test/vectors/v3/schemas.json', root), 'utf8')) as Record<
  string,
  KnownSchema
>;

/** What clients know of types that are served and do not find, with why. */
function missing(): string[] {
  return servedTypes
    .filter(({ declaration, context }) => !context && declaration.id in schemas)
    .flatMap(({ declaration }) => {
      const { fields, resourceActions, collectionActions } = schemas[declaration.id]!;
      const { v3 } = declaration;
      const own = { ...schemaFields(declaration), ...v3.resourceActions, ...v3.collectionActions };
      return [fields, resourceActions, collectionActions]
        .flatMap(Object.keys)
        .filter(name => !(name in own))
        .map(name => `${declaration.id}.${name}`);
    })
    .sort();
}

function whyMissing(name: string): string {
  const why = parts.find(([, names]) => names.test(name))?.[0];
  assert.ok(why, `${name} is known to clients and not served: serve it, or say why not`);
  return why.startsWith('left out') || why.includes(' are ') ? why : `due with ${why}`;
}

/** What a type waits for; the first that fits. The last ones are not waited for. */
const areas: readonly (readonly [area: string, ids: RegExp])[] = [
  ['many clusters as one', /^globalDns/],
  ['scans and security policies', /^cis|^clusterScan$|^podSecurity/],
  [
    'sign-in with directories and identity providers',
    /Config$|Provider$|^authConfig$|^authToken$|^samlToken$|^oidcClient$/,
  ],
  ['apps and catalogs', /^(catalog|clusterCatalog|projectCatalog|template|multiClusterApp|app)([A-Z]|$)/],
  ['building clusters', /^(nodePool|nodeTemplate)$|^etcdBackup$|^rke|^clusterTemplate/],
  ['monitoring, alerts and logging', /[aA]lert|[mM]onitor|[lL]ogging|^notifier$|^prometheus|^serviceMonitor$/],
  ['left out: a cluster makes them, in its namespaces', /^serviceAccountToken$/],
  ['left out: pipelines left the API', /^pipeline|^sourceCode/],
  ['left out: service mesh left the API', /^(destinationRule|gateway|virtualService)$/],
  ['switches of the server', /^feature$/],
  ['what is in a cluster', /./],
];

/** Pipelines' providers are named like those of sign-in. */
const area = ({ path, id }: KnownType): string => {
  if (path === '/v3/project' && /(Provider|PipelineConfig|ProviderConfig)$/.test(id))
    return areas.find(([, ids]) => ids.test('pipeline'))![0];
  return areas.find(([, ids]) => ids.test(id))![0];
};

function isServed({ path, id }: KnownType): boolean {
  const elsewhere = configuredProviders.map(({ providerType }) => providerType);
  if (path === '/v3-public') return ['authProvider', 'authToken', 'localProvider', ...elsewhere].includes(id);
  const context = path === '/v3' ? undefined : path.slice('/v3/'.length);
  return servedTypes.some(({ declaration, context: at }) => declaration.id === id && at === context);
}

function stateOf(type: KnownType): string {
  if (isServed(type)) return 'served';
  const waitsFor = area(type);
  if (waitsFor.startsWith('left out')) return waitsFor;
  return `due with ${waitsFor}${type.generations.includes('2.15') ? '' : ' (older generation only)'}`;
}

const servedCount = known.filter(isServed).length;

function render(): string {
  const rows = known.map(type => `| ${type.path} | ${type.id} | ${type.pluralName} | ${stateOf(type)} |`);
  return [
    '# Types of the API',
    '',
    `${servedCount} of ${known.length} types that clients of this API know are served. A type is served when it does what its`,
    'name says; one that is not is left out of the schemas, so that clients see that it is missing instead of using something',
    'without effect. For a type that is due, the table names the area that it comes with.',
    '',
    '| version | type | collection | state |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    '## Fields and actions',
    '',
    'What clients know of the types above that the server keeps itself, and do not find yet:',
    '',
    '| field or action | state |',
    '| --- | --- |',
    ...missing().map(name => `| ${name} | ${whyMissing(name)} |`),
    '',
  ].join('\n');
}

test('the page of types says what is served', t => {
  if (process.env['UPDATE_VECTORS']) writeFileSync(page, render());
  t.diagnostic(`${servedCount} of ${known.length} types served`);
  assert.equal(readFileSync(page, 'utf8'), render(), 'write it anew: UPDATE_VECTORS=1 node --test …/api-types.test.ts');
});

test('no type is served that clients do not know, nor under another plural', () => {
  for (const { declaration, context } of servedTypes) {
    const path = context ? `/v3/${context}` : '/v3';
    const there = known.find(type => type.id === declaration.id && type.path === path);
    assert.equal(there?.pluralName, declaration.pluralName, declaration.id);
  }
});

test('the types that clients begin with are served', () => {
  const needed = [
    'cluster',
    'clusterRegistrationToken',
    'clusterRoleTemplateBinding',
    'globalRole',
    'globalRoleBinding',
  ];
  needed.push('node', 'preference', 'principal', 'project', 'projectRoleTemplateBinding', 'roleTemplate', 'setting');
  needed.push('token', 'user', 'namespace');
  const served = new Set(servedTypes.map(({ declaration }) => declaration.id));
  assert.deepEqual(
    needed.filter(id => !served.has(id)),
    [],
  );
});
