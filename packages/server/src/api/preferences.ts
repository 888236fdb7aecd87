/**
 * Preferences in v3: each user has his own, in a namespace of his id, and nobody another's, admins included. Surprise:
 * their ids are the bare keys, although they live in a namespace.
 */
import { type Preference, toV3, types, type V3Data } from '@drover/api';
import { invalid, notFound } from '@drover/base';
import { namespaceIndex } from '../resources/index.ts';
import { type ApiView, behaviour } from './behaviour.ts';
import { createdBy } from './created-by.ts';
import { mergeLabels } from './merge.ts';

/** What one user may keep: enough for any interface, too little to fill a store with. */
const maxPerUser = 200;
const maxValueLength = 64 * 1024;

const given = (input: V3Data, name: 'labels' | 'annotations') =>
  (input[name] ?? undefined) as Readonly<Record<string, string>> | undefined;

const show = (preference: Preference): V3Data => ({
  ...toV3(types.preference, preference),
  id: preference.metadata.name,
});

const isOwn = (request: ApiView, preference: Preference) => preference.metadata.namespace === request.caller.userId;

const own = ({ deps, caller }: ApiView) => deps.caches.preference.by(namespaceIndex, caller.userId);

function find(request: ApiView, id: string): Preference {
  const found = request.deps.caches.preference.get(id, request.caller.userId);
  if (!found) throw notFound('preference', id);
  return found;
}

function checkedValue(value: unknown): string {
  const text = String(value ?? '');
  if (text === '') throw invalid('value', 'is required', 'MissingRequired');
  if (text.length > maxValueLength)
    throw invalid('value', `must have at most ${maxValueLength} characters`, 'MaxLengthExceeded');
  return text;
}

export const preferences = behaviour<Preference>({
  visible: isOwn,
  source: {
    list: request => own(request).map(show),
    get: (request, id) => show(find(request, id)),
    async update(request, id, input) {
      const { name, namespace } = find(request, id).metadata;
      const value = input['value'] === undefined ? undefined : checkedValue(input['value']);
      const changed = await request.deps.resources.modify('preference', { name, namespace }, seen => ({
        ...seen,
        ...(value === undefined ? {} : { value }),
        metadata: {
          ...seen.metadata,
          labels: mergeLabels(seen.metadata.labels, given(input, 'labels')),
          annotations: mergeLabels(seen.metadata.annotations, given(input, 'annotations')),
        },
      }));
      return show(changed);
    },
    async remove(request, id) {
      const { name, namespace } = find(request, id).metadata;
      await request.deps.resources.delete('preference', { name, namespace });
    },
  },
  mayCreate: () => true,
  async create(request, input) {
    const { deps, caller } = request;
    const value = checkedValue(input['value']);
    if (own(request).length >= maxPerUser)
      throw invalid('name', `you have ${maxPerUser} preferences: delete one first`, 'MaxLimitExceeded');
    const made = await deps.resources.create('preference', {
      metadata: {
        name: String(input['name']),
        namespace: caller.userId,
        ...createdBy(caller.userId, {
          labels: mergeLabels(undefined, given(input, 'labels')),
          annotations: mergeLabels(undefined, given(input, 'annotations')),
        }),
      },
      value,
    });
    return show(made);
  },
});
