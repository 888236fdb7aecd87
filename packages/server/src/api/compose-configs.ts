/**
 * Compose documents in v3: carried out once, when they are sent, by whoever sends them and with his own rights. Where one of the resources
 * can't be made, those that were are taken back, and nothing is kept.
 */
import { type ComposeConfig, toV3, types, type V3Data } from '@drover/api';
import { invalid, messageOf, notFound, StatusError } from '@drover/base';
import { type ApiRequest, type ApiView, behaviour } from './behaviour.ts';
import { type ComposeStep, parseCompose } from './compose-document.ts';
import { createdBy } from './created-by.ts';
import { createOne, deleteOne } from './crud.ts';
import { mergeLabels } from './merge.ts';
import { isOwn } from './own.ts';

const show = (config: ComposeConfig): V3Data => ({
  ...toV3(types.composeConfig, config),
  rancherCompose: config.spec?.document ?? '',
  state: 'active',
  transitioning: 'no',
  transitioningMessage: '',
});

function find(view: ApiView, id: string): ComposeConfig {
  const found = view.deps.caches.composeConfig.get(id);
  if (!found || !isOwn(view, found)) throw notFound('composeConfig', id);
  return found;
}

const given = (input: V3Data, name: 'labels' | 'annotations') =>
  (input[name] ?? undefined) as Readonly<Record<string, string>> | undefined;

/** The request as it would come for this one: what is in a cluster or project is made in the context that the body names. */
function contextOf(request: ApiRequest, { type }: ComposeStep, body: V3Data): ApiRequest {
  if (!type.context) return { ...request, context: undefined, versionPath: '/v3' };
  const id = String(body[`${type.context}Id`] ?? '');
  if (id === '') throw invalid(`${type.context}Id`, 'is required', 'MissingRequired');
  return { ...request, context: { type: type.context, id }, versionPath: `/v3/${type.context}/${id}` };
}

async function carryOut(request: ApiRequest, steps: readonly ComposeStep[]): Promise<void> {
  const made = new Map<ComposeStep, { readonly id: string; readonly at: ApiRequest }>();
  for (const step of steps) {
    const ids = Object.entries(step.refers).map(([field, to]) => [field, made.get(to)!.id]);
    const body = { name: step.name, ...step.body, ...Object.fromEntries(ids) };
    try {
      const at = contextOf(request, step, body);
      made.set(step, { at, id: String((await createOne(at, step.type, body))['id']) });
    } catch (error) {
      const left = await takeBack(made);
      throw tellOf(error, `${step.type.declaration.pluralName}.${step.name}`, left);
    }
  }
}

/** The last first; what could not be taken back is named. */
async function takeBack(made: ReadonlyMap<ComposeStep, { id: string; at: ApiRequest }>): Promise<string[]> {
  const left: string[] = [];
  for (const [{ type }, { id, at }] of [...made].reverse())
    await deleteOne(at, type, id).catch(() => left.push(`${type.declaration.id} "${id}"`));
  return left;
}

function tellOf(error: unknown, where: string, left: readonly string[]): unknown {
  if (!(error instanceof StatusError)) return error;
  const rest = left.length > 0 ? `; ${left.join(', ')} could not be taken back` : '';
  const details = { ...error.details, field: 'rancherCompose' };
  return new StatusError(error.status, error.reason, `${where}: ${messageOf(error)}${rest}`, { details, cause: error });
}

export const composeConfigs = behaviour<ComposeConfig>({
  source: {
    list: view => [...view.deps.caches.composeConfig.all()].filter(one => isOwn(view, one)).map(show),
    get: (view, id) => show(find(view, id)),
    async update(request, id, input) {
      const { metadata, spec } = find(request, id);
      if (input['rancherCompose'] !== undefined && input['rancherCompose'] !== spec?.document)
        throw invalid('rancherCompose', 'was carried out already: send another document', 'InvalidState');
      const changed = await request.deps.resources.modify('composeConfig', { name: metadata.name }, seen => ({
        ...seen,
        metadata: {
          ...seen.metadata,
          labels: mergeLabels(seen.metadata.labels, given(input, 'labels')),
          annotations: mergeLabels(seen.metadata.annotations, given(input, 'annotations')),
        },
      }));
      return show(changed);
    },
    async remove(request, id) {
      const { name, uid } = find(request, id).metadata;
      await request.deps.resources.delete('composeConfig', { name, uid });
    },
  },
  mayCreate: ({ caller }) => caller.clusterId === undefined,
  async create(request, input) {
    const { deps, caller } = request;
    const name = input['name'] ? String(input['name']) : undefined;
    if (name && deps.caches.composeConfig.get(name)) throw invalid('name', `"${name}" is taken`, 'NotUnique');
    const document = String(input['rancherCompose'] ?? '');
    const steps = await parseCompose(document);
    await carryOut(request, steps);
    const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`;
    const made = await deps.resources.create('composeConfig', {
      metadata: {
        ...(name ? { name } : {}),
        ...createdBy(caller.userId, {
          labels: mergeLabels(undefined, given(input, 'labels')),
          annotations: mergeLabels(undefined, given(input, 'annotations')),
        }),
      },
      spec: { document },
      status: { conditions: [{ type: 'Executed', status: 'True', lastTransitionTime }] },
    } as never);
    return show(made as ComposeConfig);
  },
});
