/** What is asked of can-i and who-can: from a JSON body to something that can be decided. */
import { type TypeId, types } from '@drover/api';
import { invalid } from '@drover/base';
import type { Place } from '../auth/access.ts';
import type { Question } from './who-can.ts';

export interface Asked {
  readonly question: Question;
  readonly namespace?: string;
  /** Asked for another user, by his id. */
  readonly userId?: string;
}

const ownGroup = 'management.cattle.io';
const idPattern = /^[A-Za-z0-9][-A-Za-z0-9._:/]{0,252}$/;
const resourcePattern = /^(\*|[a-z0-9*][-a-z0-9.*]*)(\/[-a-z0-9*]+)?$/;

/** Throws Invalid naming the field and what would be right. */
export function readQuestion(body: Readonly<Record<string, unknown>>): Asked {
  const verb = required(body, 'verb');
  if (!/^(\*|[a-z][-a-z]*)$/.test(verb)) throw invalid('verb', 'must be a verb such as get, create or delete');
  const resource = required(body, 'resource').toLowerCase();
  if (!resourcePattern.test(resource)) throw invalid('resource', 'must be such as pods, pods/exec or deployments.apps');
  const projectId = optional(body, 'projectId');
  if (projectId !== undefined && !/^[^:]+:[^:]+$/.test(projectId))
    throw invalid('projectId', 'must be CLUSTER:PROJECT, such as c-abcde:p-fghij');
  const clusterId = optional(body, 'clusterId') ?? projectId?.split(':')[0];
  if (projectId !== undefined && !projectId.startsWith(`${clusterId}:`))
    throw invalid('projectId', `must be a project of cluster ${clusterId}`);
  const name = optional(body, 'name');
  const more = { namespace: optional(body, 'namespace'), userId: optional(body, 'userId') };
  const type = ownType(resource, { clusterId, namespace: more.namespace });
  if (type) {
    const place = placeOf(type, { clusterId, projectId, name });
    return { question: { wanted: { verb, type, place }, clusterId, projectId }, ...more };
  }
  if (clusterId === undefined)
    throw invalid('resource', `"${resource}" is none of this server's own; name the cluster that has it in clusterId`);
  const [whole, subresource] = resource.split('/');
  const dot = whole!.indexOf('.');
  const plain = dot < 0 ? whole! : whole!.slice(0, dot);
  const attributes = {
    group: dot < 0 ? '' : whole!.slice(dot + 1),
    resource: subresource === undefined ? plain : `${plain}/${subresource}`,
    name,
  };
  return { question: { verb, attributes, clusterId, projectId }, ...more };
}

/** Names that both have mean the cluster's where a cluster is named: nodes, secrets. */
const ofClustersToo = new Set(['nodes', 'secrets']);

function ownType(resource: string, at: { clusterId?: string; namespace?: string }): TypeId | undefined {
  const suffix = `.${ownGroup}`;
  const plain = resource.endsWith(suffix) ? resource.slice(0, -suffix.length) : resource;
  if (plain === resource && (at.namespace !== undefined || (at.clusterId !== undefined && ofClustersToo.has(plain))))
    return undefined;
  const found = Object.values(types).find(type => type.resource === plain && type.group === ownGroup);
  if (!found && plain !== resource) throw invalid('resource', `"${plain}" is no resource of ${ownGroup}`);
  return found?.id as TypeId | undefined;
}

function placeOf(type: TypeId, at: { clusterId?: string; projectId?: string; name?: string }): Place {
  if (type === 'cluster') return { name: at.name ?? at.clusterId };
  if (types[type].scope === 'cluster') return { name: at.name };
  if (type === 'project') return { namespace: at.clusterId, name: at.name ?? at.projectId?.split(':')[1] };
  return {
    namespace: type === 'projectRoleTemplateBinding' ? (at.projectId ?? at.clusterId) : at.clusterId,
    name: at.name,
  };
}

function optional(body: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = body[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || !idPattern.test(value)) throw invalid(field, 'must be a name or an id');
  return value;
}

function required(body: Readonly<Record<string, unknown>>, field: string): string {
  const value = body[field];
  if (typeof value !== 'string' || value === '') throw invalid(field, 'is required', 'MissingRequired');
  return value;
}
