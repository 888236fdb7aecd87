/** Secrets of the server in v3: each its maker's own, with its values for him to read. */
import { type ManagementSecret, toV3, types, type V3Data } from '@drover/api';
import { invalid, isDnsSubdomain, notFound } from '@drover/base';
import { contentOf } from '../live/project-secrets.ts';
import { type ApiView, behaviour } from './behaviour.ts';
import { createdBy } from './created-by.ts';
import { mergeLabels } from './merge.ts';
import { isMadeBy, isOwn } from './own.ts';

const maxPerUser = 200;

const show = (secret: ManagementSecret): V3Data => ({
  ...toV3(types.managementSecret, secret),
  baseType: 'secret',
  // A secret's own `type` stands where v3 has the resource's: clients find it there no more than in the original.
  type: 'managementSecret',
  data: secret.spec?.kept ?? {},
});

function find(view: ApiView, id: string): ManagementSecret {
  const found = view.deps.caches.managementSecret.get(id);
  if (!found || !isOwn(view, found)) throw notFound('managementSecret', id);
  return found;
}

type Texts = Readonly<Record<string, string>>;
const given = (input: V3Data, name: string) => (input[name] ?? undefined) as Texts | undefined;

export const managementSecrets = behaviour<ManagementSecret>({
  source: {
    list: view => [...view.deps.caches.managementSecret.all()].filter(one => isOwn(view, one)).map(show),
    get: (view, id) => show(find(view, id)),
    async update(request, id, input) {
      const { metadata, spec } = find(request, id);
      const changes = given(input, 'data') ?? given(input, 'stringData');
      if (changes && spec?.immutable) throw invalid('data', 'the secret is immutable', 'InvalidState');
      const kept =
        changes && contentOf({ data: given(input, 'data'), stringData: given(input, 'stringData') } as never).data;
      const changed = await request.deps.resources.modify('managementSecret', { name: metadata.name }, seen => ({
        ...seen,
        metadata: {
          ...seen.metadata,
          labels: mergeLabels(seen.metadata.labels, given(input, 'labels')),
          annotations: mergeLabels(seen.metadata.annotations, given(input, 'annotations')),
        },
        spec: {
          ...seen.spec,
          ...(kept ? { kept } : {}),
          ...(input['immutable'] === true ? { immutable: true } : {}),
        },
      }));
      return show(changed);
    },
    async remove(request, id) {
      const { name, uid } = find(request, id).metadata;
      await request.deps.resources.delete('managementSecret', { name, uid });
    },
  },
  mayCreate: ({ caller }) => caller.clusterId === undefined,
  async create(request, input) {
    const { deps, caller } = request;
    const name = String(input['name'] ?? '');
    if (!isDnsSubdomain(name))
      throw invalid('name', 'must be lower-case letters, digits, "-" and "."', 'InvalidCharacters');
    if ([...deps.caches.managementSecret.all()].filter(one => isMadeBy(caller.userId, one)).length >= maxPerUser)
      throw invalid('name', `you have ${maxPerUser} secrets here: delete one first`, 'MaxLimitExceeded');
    const { data: kept } = contentOf({ data: given(input, 'data'), stringData: given(input, 'stringData') } as never);
    const made = await deps.resources.create('managementSecret', {
      metadata: {
        name,
        ...createdBy(caller.userId, {
          labels: mergeLabels(undefined, given(input, 'labels')),
          annotations: mergeLabels(undefined, given(input, 'annotations')),
        }),
      },
      spec: { kept, ...(input['immutable'] === true ? { immutable: true } : {}) },
    });
    return show(made);
  },
});
