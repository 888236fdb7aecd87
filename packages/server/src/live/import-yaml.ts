/**
 * importYaml: applies a manifest to a cluster as the caller, by server-side apply. What the cluster refuses him is refused,
 * with the resource's name in front; what came before it stays applied, and applying again goes on from there.
 */
import type { V3Data } from '@drover/api';
import { hasReason, invalid, isNotFound, type Resource, StatusError } from '@drover/base';
import { applyManifest, type KubeClient, namespaces, parseManifest } from '@drover/kube';
import type { ApiRequest } from '../api/behaviour.ts';
import { projectKey } from '../controllers/cluster-projects.ts';
import { asCaller } from './as-caller.ts';
import { requireProjects } from './require-projects.ts';

const maxResources = 500;
const maxMs = 120_000;

/** Answers a line for each resource, as kubectl does. */
export async function importYaml(request: ApiRequest, clusterId: string, input: V3Data): Promise<V3Data> {
  const text = textOf(input, 'yaml');
  if (text.trim() === '') throw invalid('yaml', 'is required', 'MissingRequired');
  const projectId = textOf(input, 'projectId');
  const into = textOf(input, 'namespace');
  const resources = await parse(text);
  const own = resources.filter(one => isNamespace(one));
  requireProjects(request, clusterId, [projectId, ...own.map(one => one.metadata.annotations?.[projectKey])]);
  if (into) requireNoOther(resources, into);
  const signal = AbortSignal.timeout(maxMs);
  const lines: string[] = [];
  const client = asCaller(request, clusterId);
  const names = new Set([...(into ? [into] : []), ...(projectId ? own.map(one => one.metadata.name) : [])]);
  await ensureNamespaces(client, names, { projectId, userId: request.caller.userId, signal });
  await applyManifest(client, resources, {
    fieldManager: 'drover-import',
    namespace: into || textOf(input, 'defaultNamespace') || 'default',
    signal,
    onStep: ({ resource, what }) => {
      if (what !== 'established') lines.push(`${kindOf(resource)}/${resource.metadata.name} ${what}`);
    },
  });
  return { type: 'importYamlOutput', baseType: 'importYamlOutput', message: lines.join('\n') };
}

function textOf(input: V3Data, field: string): string {
  const value = input[field] ?? '';
  if (typeof value !== 'string') throw invalid(field, 'must be text', 'InvalidFormat');
  return value;
}

async function parse(text: string): Promise<Resource[]> {
  let resources: Resource[];
  try {
    resources = await parseManifest(text);
  } catch (error) {
    if (error instanceof StatusError || error instanceof RangeError)
      throw invalid('yaml', `is no manifest: ${error.message}`, 'InvalidBodyContent');
    throw error;
  }
  if (resources.length === 0) throw invalid('yaml', 'holds no resource', 'InvalidBodyContent');
  if (resources.length > maxResources)
    throw invalid('yaml', `must hold at most ${maxResources} resources`, 'InvalidBodyContent');
  return resources;
}

const isNamespace = ({ apiVersion, kind }: Resource) => apiVersion === 'v1' && kind === 'Namespace';

/** Asked to go into one namespace, a manifest must not reach into another. */
function requireNoOther(resources: readonly Resource[], into: string): void {
  for (const { kind, metadata } of resources) {
    if (metadata.namespace !== undefined && metadata.namespace !== into)
      throw invalid(
        'namespace',
        `${kind} ${metadata.name} is in "${metadata.namespace}", not in "${into}"`,
        'InvalidOption',
      );
  }
}

/** New namespaces begin in the project; those that are there stay where they are. */
async function ensureNamespaces(
  client: KubeClient,
  names: ReadonlySet<string>,
  { projectId, userId, signal }: { projectId: string; userId: string; signal: AbortSignal },
): Promise<void> {
  const project = projectId.split(':')[1];
  for (const name of names) {
    if (await isThere(client, name, signal)) continue;
    const metadata = {
      name,
      annotations: {
        'field.cattle.io/creatorId': userId,
        ...(projectId ? { [projectKey]: projectId } : {}),
      },
      ...(project ? { labels: { [projectKey]: project } } : {}),
    };
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata }, { signal });
  }
}

/** Whoever may not look at it may still write in it: then applying will tell. */
async function isThere(client: KubeClient, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await client.get(namespaces, name, { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    if (hasReason(error, 'Forbidden')) return true;
    throw error;
  }
}

function kindOf({ apiVersion = '', kind = '' }: Resource): string {
  const [group, version] = apiVersion.split('/');
  return version ? `${kind.toLowerCase()}.${group}` : kind.toLowerCase();
}
