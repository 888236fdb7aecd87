/** How a call goes over the wire: over v3, or as plain Kubernetes API. */
import type { Answer } from '../../../packages/server/src/api/fixture.ts';
import { management } from './evaluator.ts';
import type { Real } from './setting.ts';

type Body = Record<string, unknown>;

const group = `/k8s/clusters/local/apis/${management}/v3`;
const resources = {
  template: ['roletemplates', 'RoleTemplate'],
  global: ['globalroles', 'GlobalRole'],
  globalBinding: ['globalrolebindings', 'GlobalRoleBinding'],
  clusterBinding: ['clusterroletemplatebindings', 'ClusterRoleTemplateBinding'],
  projectBinding: ['projectroletemplatebindings', 'ProjectRoleTemplateBinding'],
  project: ['projects', 'Project'],
  user: ['users', 'User'],
  setting: ['settings', 'Setting'],
  cluster: ['clusters', 'Cluster'],
} as const;
export type Kind = keyof typeof resources;

/** One caller's way to the server, over v3 or as plain Kubernetes API. */
export function wire({ api, tokens }: Real, actor: string, over: 'v3' | 'kubernetes') {
  const as = tokens.get(actor)!;
  const pathOf = (kind: Kind, id?: string, namespace?: string): string => {
    const [resource] = resources[kind];
    if (over === 'v3') return `/v3/${resource}${id === undefined ? '' : `/${id}`}`;
    const [space, name] = id?.includes(':') ? id.split(':') : [namespace, id];
    return `${group}${space === undefined ? '' : `/namespaces/${space}`}/${resource}${name === undefined ? '' : `/${name}`}`;
  };
  const headers = { 'content-type': 'application/merge-patch+json' };
  return {
    get: (kind: Kind, id: string) => api.ask('GET', pathOf(kind, id), { as }),
    delete: (kind: Kind, id: string) => api.ask('DELETE', pathOf(kind, id), { as }),
    post(kind: Kind, fields: { v3: Body; kubernetes: Body }, namespace?: string) {
      if (over === 'v3') return api.ask('POST', pathOf(kind), { as, body: fields.v3 });
      const object = { apiVersion: `${management}/v3`, kind: resources[kind][1], metadata: { generateName: 'made-' } };
      const metadata = kind === 'project' ? {} : object.metadata;
      return api.ask('POST', pathOf(kind, undefined, namespace), {
        as,
        body: { ...object, metadata, ...fields.kubernetes },
      });
    },
    change(kind: Kind, id: string, fields: { v3: Body; kubernetes: Body }) {
      if (over === 'v3') return api.ask('PUT', pathOf(kind, id), { as, body: fields.v3 });
      return api.ask('PATCH', pathOf(kind, id), { as, body: fields.kubernetes, headers });
    },
  };
}

/** The id of what was made, whichever way. */
export function idIn({ body }: Answer): string {
  if (body.id) return body.id;
  const { name, namespace } = body.metadata;
  return namespace === undefined ? name : `${namespace}:${name}`;
}

const v3Names: Readonly<Record<string, string>> = {
  userName: 'userId',
  userPrincipalName: 'userPrincipalId',
  groupPrincipalName: 'groupPrincipalId',
};
export const inV3 = (fields: Record<string, string>): Body =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [v3Names[name]!, value]));
