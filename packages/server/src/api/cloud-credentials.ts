/**
 * Cloud credentials in v3: each its maker's own, seen by admins as well. What is secret in one is never shown again. Surprise:
 * clients know their ids with the namespace that they would have in a cluster.
 */
import { type CloudCredential, clouds, toV3, types, type V3Data } from '@drover/api';
import { forbidden, invalid, notFound } from '@drover/base';
import { type ApiView, behaviour } from './behaviour.ts';
import { createdBy } from './created-by.ts';
import { mergeLabels, mergeStructs } from './merge.ts';
import { isMadeBy, isOwn } from './own.ts';

const idPrefix = 'cattle-global-data:';
const maxPerUser = 200;
const maxBytes = 64 << 10;

const show = (credential: CloudCredential): V3Data => ({
  ...toV3(types.cloudCredential, credential),
  id: `${idPrefix}${credential.metadata.name}`,
});

/** The credential of that id as the caller may use it; one that is another's is not there. */
export function findCredential(view: ApiView, id: string): CloudCredential {
  const name = id.startsWith(idPrefix) ? id.slice(idPrefix.length) : '';
  const found = view.deps.caches.cloudCredential.get(name);
  if (!found || !isOwn(view, found)) throw notFound('cloudCredential', id);
  return found;
}

const kinds = ['s3credentialConfig', ...clouds.map(({ field }) => field)];

/** The field that says which account it is for: exactly one. */
export function kindOf(spec: Readonly<Record<string, unknown>>): string | undefined {
  const given = kinds.filter(kind => typeof spec[kind] === 'object' && spec[kind] !== null);
  return given.length === 1 ? given[0] : undefined;
}

function checked({ deps }: ApiView, input: V3Data): V3Data {
  const kind = kindOf(input);
  if (!kind) throw invalid('name', `give exactly one of ${kinds.join(', ')}`, 'MissingRequired');
  const cloud = clouds.find(({ field }) => field === kind);
  if (cloud && deps.caches.nodeDriver.get(cloud.id)?.spec?.active !== true)
    throw invalid(kind, `the driver "${cloud.id}" is not active`, 'InvalidOption');
  if (Buffer.byteLength(JSON.stringify(input)) > maxBytes)
    throw invalid(kind, `must be at most ${maxBytes} bytes`, 'MaxLengthExceeded');
  return input;
}

function specOf(input: V3Data): Record<string, unknown> {
  const { name, description } = input;
  const out: Record<string, unknown> = {
    ...(name === undefined ? {} : { displayName: name }),
    ...(description === undefined ? {} : { description }),
  };
  for (const kind of kinds) if (input[kind] !== undefined && input[kind] !== null) out[kind] = input[kind];
  return out;
}

const given = (input: V3Data, name: 'labels' | 'annotations') =>
  (input[name] ?? undefined) as Readonly<Record<string, string>> | undefined;

export const cloudCredentials = behaviour<CloudCredential>({
  source: {
    list: view => [...view.deps.caches.cloudCredential.all()].filter(one => isOwn(view, one)).map(show),
    get: (view, id) => show(findCredential(view, id)),
    async update(request, id, input) {
      const { metadata, spec = {} } = findCredential(request, id);
      const kind = kindOf(spec)!;
      const other = kinds.find(one => one !== kind && input[one]);
      if (other) throw invalid(other, `it is one of ${kind}`, 'InvalidOption');
      const changed = await request.deps.resources.modify('cloudCredential', { name: metadata.name }, seen => ({
        ...seen,
        metadata: {
          ...seen.metadata,
          labels: mergeLabels(seen.metadata.labels, given(input, 'labels')),
          annotations: mergeLabels(seen.metadata.annotations, given(input, 'annotations')),
        },
        spec: mergeStructs((seen.spec ?? {}) as V3Data, specOf(input), {
          fields: types.cloudCredential.spec!,
          replace: false,
        }) as CloudCredential['spec'],
      }));
      return show(changed);
    },
    async remove(request, id) {
      const { name, uid } = findCredential(request, id).metadata;
      await request.deps.resources.delete('cloudCredential', { name, uid });
    },
  },
  mayCreate: ({ caller }) => caller.clusterId === undefined,
  async create(request, input) {
    const { deps, caller } = request;
    checked(request, input);
    const own = [...deps.caches.cloudCredential.all()].filter(one => isMadeBy(caller.userId, one));
    if (own.length >= maxPerUser)
      throw forbidden(`you have ${maxPerUser} cloud credentials: delete one first`, { kind: 'cloudCredential' });
    const made = await deps.resources.create('cloudCredential', {
      metadata: {
        ...createdBy(caller.userId, {
          labels: mergeLabels(undefined, given(input, 'labels')),
          annotations: mergeLabels(undefined, given(input, 'annotations')),
        }),
      },
      spec: specOf(input),
    } as never);
    return show(made as CloudCredential);
  },
});
