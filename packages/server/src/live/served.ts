/** The live types as the API serves them: under `/v3/cluster/<id>` and `/v3/project/<id>`. */
import { defineType, type LiveType, liveSchema, liveTypes, structsOf, type V3Data } from '@drover/api';
import type { ApiRequest, ApiView, Behaviour, ResourceAction, ServedType } from '../api/behaviour.ts';
import { encodeId } from '../api/url.ts';
import { dnsRecordKind } from './dns-records.ts';
import { isOffered } from './live-rights.ts';
import { createLive, getLive, listLive, refOf, removeLive, showLive, updateLive } from './live-store.ts';
import { listRevisions, rollBack } from './revisions.ts';
import {
  createWorkload,
  listWorkloads,
  redeploy,
  removeWorkload,
  setPaused,
  updateWorkload,
  workloadType,
} from './workloads.ts';
import { yamlLink } from './yaml-link.ts';

const replaces = ({ exchange }: ApiRequest): boolean => exchange.query.get('_replace') === 'true';

function plain(type: LiveType): Behaviour<V3Data> {
  return {
    source: {
      list: async request => (await listLive(request, type)).map(object => showLive(request, type, object)),
      get: async (request, id) => showLive(request, type, await getLive(request, type, id)),
      update: async (request, id, input) =>
        showLive(request, type, await updateLive(request, type, id, { input, replace: replaces(request) })),
      remove: (request, id) => removeLive(request, type, id),
    },
    mayCreate: () => true,
    mayUpdate: (view, data) => isOffered(view, refOf(type), 'update', data),
    mayDelete: (view, data) => isOffered(view, refOf(type), 'delete', data),
    create: async (request, input) => showLive(request, type, await createLive(request, type, input)),
    links: (_, links) => ({ ...links, yaml: `${links['self']}/yaml` }),
    followLinks: { yaml: (request, id) => yamlOf(request, type, id) },
  };
}

/** Of an object that the context has. */
async function yamlOf(request: ApiRequest, type: LiveType, id: string): Promise<'handled'> {
  const { metadata } = await getLive(request, type, id);
  return yamlLink(request, { ref: refOf(type) }, metadata);
}

const kindIs =
  (...kinds: readonly string[]) =>
  (_: ApiView, data: V3Data): boolean =>
    kinds.includes(String(data['type']));

/** Each of them changes the workload. */
const mayChange = (view: ApiView, data: V3Data) => mayWith(view, 'update', data);

const actions: Readonly<Record<string, ResourceAction<V3Data>>> = {
  redeploy: {
    offered: kindIs('deployment', 'daemonSet', 'statefulSet', 'replicaSet', 'replicationController'),
    allowed: mayChange,
    run: async (request, data) => void (await redeploy(request, String(data['id']))),
  },
  pause: {
    offered: (request, data) => kindIs('deployment')(request, data) && data['paused'] !== true,
    allowed: mayChange,
    run: async (request, data) => void (await setPaused(request, String(data['id']), true)),
  },
  resume: {
    offered: (request, data) => kindIs('deployment')(request, data) && data['paused'] === true,
    allowed: mayChange,
    run: async (request, data) => void (await setPaused(request, String(data['id']), false)),
  },
  rollback: {
    offered: kindIs('deployment'),
    allowed: mayChange,
    run: async (request, data, input) => void (await rollBack(request, String(data['id']), input)),
  },
};

/** Of whichever kind it is. */
const mayWith = (view: ApiView, verb: string, data: V3Data): boolean =>
  isOffered(view, refOf(workloadType(String(data['id']))), verb, data);

/** Whatever collection it was found in, a workload is at home among the workloads. */
function workloadLinks(
  { base, versionPath }: ApiView,
  links: Readonly<Record<string, string>>,
  data: V3Data,
): Record<string, string> {
  const self = `${base}${versionPath}/workloads/${encodeId(String(data['id']))}`;
  const own = ['self', 'update', 'remove'].filter(name => links[name]).map(name => [name, self] as const);
  const more = { yaml: `${self}/yaml`, ...(data['type'] === 'deployment' ? { revisions: `${self}/revisions` } : {}) };
  return { ...links, ...Object.fromEntries(own), ...more };
}

const workloadFollow: NonNullable<Behaviour['followLinks']> = {
  yaml: (request, id) => yamlOf(request, workloadType(id), id),
  revisions: (request, id) => listRevisions(request, id),
};

function workloadKind(type: LiveType): Behaviour<V3Data> {
  const own = plain(type);
  return {
    ...own,
    create: (request, input) => createWorkload(request, input, type),
    links: workloadLinks,
    followLinks: workloadFollow,
    actions,
  };
}

function behaviourOf(type: LiveType): Behaviour<V3Data> {
  if (type.baseType === 'workload') return workloadKind(type);
  return type.id === 'dnsRecord' ? dnsRecordKind(type, plain(type)) : plain(type);
}

const workloads: Behaviour<V3Data> = {
  source: {
    list: listWorkloads,
    get: async (request, id) => showLive(request, workloadType(id), await getLive(request, workloadType(id), id)),
    update: (request, id, input) => updateWorkload(request, id, input, replaces(request)),
    remove: removeWorkload,
  },
  mayCreate: () => true,
  mayUpdate: (view, data) => mayWith(view, 'update', data),
  mayDelete: (view, data) => mayWith(view, 'delete', data),
  create: (request, input) => createWorkload(request, input),
  links: workloadLinks,
  followLinks: workloadFollow,
  actions,
};

const schema = liveSchema('project', 'workload');

/** All kinds in one: what each of them has. */
const workload = defineType({
  id: 'workload',
  pluralName: schema.pluralName,
  group: '',
  version: 'v1',
  kind: 'Workload',
  resource: 'workloads',
  scope: 'namespaced',
  namePrefix: 'w-',
  schema: { fields: schema.fields, structs: structsOf('project', schema.fields) },
  v3: {
    collectionMethods: schema.collectionMethods!,
    resourceMethods: schema.resourceMethods!,
    resourceActions: schema.resourceActions,
  },
});

const served = (declaration: ServedType['declaration'], behaviour: Behaviour<V3Data>, context: 'cluster' | 'project') =>
  ({ declaration, behaviour: behaviour as unknown as ServedType['behaviour'], context }) satisfies ServedType;

export const liveServed: readonly ServedType[] = [
  served(workload, workloads, 'project'),
  ...liveTypes.map(type => served(type.declaration, behaviourOf(type), type.context)),
];
