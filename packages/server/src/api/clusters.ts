/** Clusters in v3: registering one to be imported, and the kubeconfig that leads to one through this server. */
import { type Cluster, types } from '@drover/api';
import { findCondition, invalid, methodNotAllowed, notFound, StatusError } from '@drover/base';
import { issueToken } from '../auth/index.ts';
import { shellLink } from '../cluster-shells/shell-link.ts';
import { askAgent } from '../clusters/agent-view.ts';
import { clientFor } from '../clusters/client-for.ts';
import { deprecatedApis } from '../clusters/deprecated-apis.ts';
import { checkEndpoint } from '../clusters/endpoint-input.ts';
import { directPlaces, proxyKubeconfig } from '../clusters/kubeconfig.ts';
import { workspaceOf } from '../fleet-workspaces.ts';
import { requireActiveDriver } from '../kontainer-drivers.ts';
import { importYaml } from '../live/import-yaml.ts';
import { prepareEngineInput } from '../provisioning/cluster-input.ts';
import { namespaceIndex, uniqueIndex, valueTaken } from '../resources/index.ts';
import { type ApiRequest, type ApiView, behaviour } from './behaviour.ts';
import { engineActions, timeline } from './cluster-engine.ts';
import { exportYaml } from './export-yaml.ts';
import { prepareWorkspace } from './fleet-workspaces.ts';
import { requireTemplate } from './pod-security-templates.ts';
import { depsOf, voucherOf } from './tokens.ts';

export const clusters = behaviour<Cluster>({
  repeatable: true,
  show: ({ deps: { settings } }, data, cluster) =>
    data['fleetWorkspaceName'] ? data : { ...data, fleetWorkspaceName: workspaceOf(cluster, settings) },
  visible: (request, cluster) => request.deps.auth.access.mayReach(request.caller, cluster.metadata.name),
  async prepareCreate(request, input) {
    const name = String(input['name'] ?? '').trim();
    if (name === '') throw invalid('Cluster name', 'is required', 'MissingRequired');
    requireFreeName(request, name);
    checkEndpoint(input);
    requireTemplate(request, input);
    requireActiveDriver(request.deps.caches, input);
    return prepareEngineInput({ ...prepareWorkspace(request, input), name });
  },
  async prepareUpdate(request, input, cluster) {
    checkEndpoint(input);
    requireTemplate(request, input);
    const name = input['name'];
    if (typeof name === 'string' && name !== cluster.spec?.displayName) requireFreeName(request, name);
    return prepareEngineInput(prepareWorkspace(request, input, cluster), cluster);
  },
  objections: {
    delete: (_, { spec }) =>
      spec?.internal ? () => methodNotAllowed('DELETE', 'the cluster that this server runs itself') : undefined,
  },
  links(request, links, data) {
    const all = { ...links, ...shellLink(request.deps.caches, request.base, String(data['id'])) };
    if (data['internal'] === true) return all;
    const examined: Record<string, string> = hasAgent(request, String(data['id']))
      ? { doctor: `${links['self']}/doctor`, deprecatedApis: `${links['self']}/deprecatedApis` }
      : {};
    const made: Record<string, string> = data['rancherKubernetesEngineConfig']
      ? { timeline: `${links['self']}/timeline` }
      : {};
    return { ...all, ...examined, ...made };
  },
  followLinks: {
    timeline,
    async doctor(request, id) {
      if (!mayExamine(request, id)) throw notFound('link', 'doctor');
      const view = await askAgent(request.deps.upstreams.get(id));
      return { type: 'agentView', baseType: 'agentView', ...view };
    },
    async deprecatedApis(request, id) {
      await using client = clientFor(request.deps, request.caller, id);
      return { type: 'deprecatedApis', baseType: 'deprecatedApis', apis: await deprecatedApis(client) };
    },
  },
  actions: {
    ...engineActions,
    exportYaml: { run: (_, cluster) => exportYaml(types.cluster, cluster) },
    importYaml: { run: (request, cluster, input) => importYaml(request, cluster.metadata.name, input) },
    generateKubeconfig: {
      async run(request, cluster) {
        const { deps, caller } = request;
        const clusterId = cluster.metadata.name;
        const { bearer } = await issueToken(depsOf(request), {
          userId: caller.userId,
          ...voucherOf(request),
          kind: 'kubeconfig',
          description: 'Kubeconfig token',
          clusterId,
        });
        const name = cluster.spec?.displayName || clusterId;
        const config = proxyKubeconfig({
          name,
          direct: directPlaces(name, cluster, deps.caches.node.by(namespaceIndex, clusterId)),
          server: `${deps.settings.get('server-url') || request.base}/k8s/clusters/${clusterId}`,
          ca: deps.settings.get('cacerts'),
          token: bearer,
        });
        return { type: 'generateKubeConfigOutput', baseType: 'generateKubeConfigOutput', config };
      },
    },
  },
});

/** What an agent sees tells of its network: that is for the cluster's owners. */
function mayExamine({ deps: { auth }, caller }: ApiView, id: string): boolean {
  return auth.access.mayReach(caller, id) && auth.access.isOwner(caller, id);
}

/** Whether an agent of ours is connected now. */
function hasAgent(request: ApiView, id: string): boolean {
  const conditions = request.deps.caches.cluster.get(id)?.status?.conditions;
  if (findCondition(conditions, 'Connected')?.status !== 'True' || !mayExamine(request, id)) return false;
  try {
    return request.deps.upstreams.get(id).kind === 'agent';
  } catch (error) {
    if (error instanceof StatusError) return false;
    throw error;
  }
}

/** Two who ask at once are told apart when it is stored; here it shows before anything else is looked at. */
function requireFreeName({ deps: { caches } }: ApiRequest, name: string): void {
  if (caches.cluster.by(uniqueIndex, name).length > 0) throw valueTaken(types.cluster, name);
}
