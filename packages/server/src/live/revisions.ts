/** Earlier templates of a deployment: its replica sets, by their revision, and the way back to one of them. */
import { type LiveObject, type V3Data, workloadKinds } from '@drover/api';
import { invalid, notFound } from '@drover/base';
import type { ApiRequest, ApiView } from '../api/behaviour.ts';
import { asCaller } from './as-caller.ts';
import { getLive, modifyLive, refOf, showLive } from './live-store.ts';

const revisionKey = 'deployment.kubernetes.io/revision';
/** Added by the cluster to tell replica sets apart; never part of a deployment's template. */
const hashLabel = 'pod-template-hash';

const replicaSet = workloadKinds.find(({ id }) => id === 'replicaSet')!;
const deployment = workloadKinds.find(({ id }) => id === 'deployment')!;

const revisionOf = ({ metadata }: LiveObject): number => Number(metadata.annotations?.[revisionKey] ?? 0);

async function replicaSetsOf(request: ApiView, id: string): Promise<LiveObject[]> {
  const { metadata } = await getLive(request, deployment, id);
  const { namespace, uid } = metadata;
  const out: LiveObject[] = [];
  for await (const one of asCaller(request).listAll<LiveObject>(refOf(replicaSet), { namespace }))
    if (one.metadata.ownerReferences?.some(owner => owner.uid === uid)) out.push(one);
  return out.sort((a, b) => revisionOf(b) - revisionOf(a));
}

/** The latest first. */
export async function listRevisions(request: ApiView, id: string): Promise<V3Data> {
  const found = await replicaSetsOf(request, id);
  return {
    type: 'collection',
    resourceType: 'replicaSet',
    links: {},
    actions: {},
    pagination: { limit: found.length, total: found.length },
    data: found.map(one => showLive(request, replicaSet, one)),
  };
}

interface Template {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
}

/** Takes the template of the replica set that `input` names; the cluster rolls it out as it would any change. */
export async function rollBack(request: ApiRequest, id: string, input: V3Data): Promise<void> {
  const wanted = String(input['replicaSetId'] ?? input['revisionId'] ?? '');
  if (!wanted) throw invalid('replicaSetId', 'is required', 'MissingRequired');
  const name = wanted.split(':').at(-1);
  const found = (await replicaSetsOf(request, id)).find(one => one.metadata.name === name);
  if (!found) throw notFound('replicaSet', wanted);
  const { template = {} } = (found.spec ?? {}) as { template?: Template };
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  await modifyLive(request, deployment, id, old => {
    const spec = { ...(old.spec as object), template: { ...template, metadata: { ...template.metadata, labels } } };
    return { ...old, spec } as LiveObject;
  });
}
