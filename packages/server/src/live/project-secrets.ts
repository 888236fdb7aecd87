/**
 * Secrets of a whole project under `/v3/project/<id>`: kept by the server, whether the cluster is there or not, and copied into
 * each of the project's namespaces. Who may read or write them has that right over secrets in the project.
 */
import {
  fromLiveV3,
  graft,
  type LiveObject,
  type LiveType,
  type ProjectSecret,
  projectSecretTypes,
  toLiveV3,
  type V3Data,
} from '@drover/api';
import { forbidden, invalid, isDnsSubdomain, notFound, type Resource } from '@drover/base';
import type { ApiView, Behaviour, ServedType } from '../api/behaviour.ts';
import { createdBy } from '../api/created-by.ts';
import { backingNamespaceOf } from '../auth/grants.ts';
import { rulesAllow } from '../auth/rules.ts';
import { namespaceIndex } from '../resources/index.ts';
import { mergeLive } from './merge-live.ts';

const maxBytes = 1 << 20;
const maxSecrets = 200;
/** Roles of the cluster itself, which are known to give rights over secrets, and to whom. */
const writers = ['admin', 'edit'];

/** Whether the caller has this right over secrets in all of the context's project. */
function may({ deps, caller, context }: ApiView, verb: string): boolean {
  const projectId = context?.id ?? '';
  const clusterId = projectId.split(':')[0]!;
  const { access } = deps.auth;
  if (!access.mayReach(caller, clusterId)) return false;
  if (access.isOwner(caller, clusterId)) return true;
  const { clusters, projects } = access.grantsOf(caller);
  return [clusters.get(clusterId), projects.get(projectId)].some(
    scope =>
      scope !== undefined &&
      (scope.owner ||
        rulesAllow(scope.rules, verb, { group: '', resource: 'secrets' }) ||
        writers.some(role => scope.templates.has(role))),
  );
}

/** Where the context's project keeps its own. */
function namespaceFor({ deps, context }: ApiView): string {
  const [clusterId = '', name = ''] = context?.id.split(':') ?? [];
  const project = deps.caches.project.get(name, clusterId);
  if (!project) throw notFound('project', context?.id ?? '');
  return backingNamespaceOf(project);
}

const asObject = ({ metadata, type, data }: ProjectSecret): LiveObject =>
  ({ apiVersion: 'v1', kind: 'Secret', metadata, type, data }) as unknown as LiveObject;

function show(view: ApiView, type: LiveType, secret: ProjectSecret): V3Data {
  return { ...toLiveV3(type, asObject(secret), { projectId: view.context?.id }), namespaceId: null };
}

const isOf = (type: LiveType, secret: ProjectSecret): boolean =>
  !type.fieldSelector || type.fieldSelector === `type=${secret.type}`;

function listed(view: ApiView, type: LiveType): ProjectSecret[] {
  if (!may(view, 'list')) throw forbidden('you may not list the secrets of this project');
  const all = view.deps.caches.projectSecret.by(namespaceIndex, namespaceFor(view));
  return all.filter(one => one.projectName === view.context?.id && isOf(type, one));
}

function find(view: ApiView, type: LiveType, id: string): ProjectSecret {
  const [namespace = '', name = '', ...more] = id.split(':');
  const found = view.deps.caches.projectSecret.get(name, namespace);
  // To who may not read them they are not there.
  if (more.length > 0 || !found || found.projectName !== view.context?.id || !isOf(type, found) || !may(view, 'get'))
    throw notFound(type.id, id);
  return found;
}

function require(view: ApiView, verb: string): void {
  if (!may(view, verb)) throw forbidden(`you may not ${verb} secrets of this project`);
}

/** Type and data as they are kept; throws for what no namespace would take. */
export function contentOf(object: LiveObject): { readonly type: string; readonly data: Record<string, string> } {
  const {
    data = {},
    stringData = {},
    type = 'Opaque',
  } = object as unknown as {
    readonly data?: Readonly<Record<string, string>>;
    readonly stringData?: Readonly<Record<string, string>>;
    readonly type?: string;
  };
  if (type === 'kubernetes.io/service-account-token')
    throw invalid('kind', 'tokens of service accounts are made in their namespaces only', 'InvalidOption');
  const all: Record<string, string> = { ...data };
  for (const [key, text] of Object.entries(stringData)) all[key] = Buffer.from(text).toString('base64');
  for (const [key, value] of Object.entries(all)) {
    if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key))
      throw invalid('data', `"${key}" must be letters, digits, "-", "_" and "."`, 'InvalidCharacters');
    if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value))
      throw invalid(`data.${key}`, 'must be base64', 'InvalidFormat');
  }
  const bytes = Object.values(all).reduce((sum, value) => sum + value.length, 0);
  if (bytes > maxBytes) throw invalid('data', `must be at most ${maxBytes} bytes`, 'MaxLengthExceeded');
  return { type, data: all };
}

function behaviourOf(type: LiveType): Behaviour<V3Data> {
  return {
    source: {
      list: view => listed(view, type).map(one => show(view, type, one)),
      get: (view, id) => show(view, type, find(view, type, id)),
      async update(request, id, input) {
        const { metadata } = find(request, type, id);
        require(request, 'update');
        const { name, namespace } = metadata;
        const replace = request.exchange.query.get('_replace') === 'true';
        const stored = await request.deps.resources.modify('projectSecret', { name, namespace }, old => {
          const seen = toLiveV3(type, asObject(old));
          const next = mergeLive(seen, input, { schema: type.declaration.schema!, replace });
          const object = graft(fromLiveV3(type, next, namespace), asObject(old), fromLiveV3(type, seen, namespace));
          const content = contentOf(object as LiveObject);
          if (content.type !== old.type) throw invalid('kind', 'stays as it was made', 'InvalidOption');
          const { labels, annotations } = (object as Resource).metadata;
          return { ...old, ...content, metadata: { ...old.metadata, labels, annotations } };
        });
        return show(request, type, stored);
      },
      async remove(request, id) {
        const { metadata } = find(request, type, id);
        require(request, 'delete');
        const { name, namespace, uid } = metadata;
        await request.deps.resources.delete('projectSecret', { name, namespace, uid });
      },
    },
    mayCreate: request => may(request, 'create'),
    mayUpdate: view => may(view, 'update'),
    mayDelete: view => may(view, 'delete'),
    async create(request, input) {
      const namespace = namespaceFor(request);
      const name = input['name'];
      if (typeof name !== 'string' || !isDnsSubdomain(name))
        throw invalid(
          'name',
          'must be lower-case letters, digits, "-" and "."',
          name ? 'InvalidCharacters' : 'MissingRequired',
        );
      if (input['namespaceId'])
        throw invalid(
          'namespaceId',
          `must be left out: a ${type.id} is for all namespaces of the project`,
          'InvalidOption',
        );
      if (request.deps.caches.projectSecret.by(namespaceIndex, namespace).length >= maxSecrets)
        throw invalid('name', `a project has at most ${maxSecrets} secrets`, 'MaxLimitExceeded');
      const object = fromLiveV3(type, input, namespace);
      const stored = await request.deps.resources.create('projectSecret', {
        metadata: { name, namespace, ...createdBy(request.caller.userId, object.metadata) },
        projectName: request.context?.id,
        ...contentOf(object),
      } as never);
      return show(request, type, stored as ProjectSecret);
    },
  };
}

export const projectSecretsServed: readonly ServedType[] = projectSecretTypes.map(type => ({
  declaration: type.declaration,
  behaviour: behaviourOf(type) as unknown as ServedType['behaviour'],
  context: 'project',
}));
