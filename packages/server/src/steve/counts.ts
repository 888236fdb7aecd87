/** Counts: how many objects of each type there are, in which states and namespaces, as one person may see them. */
import type { Log } from '@drover/base';
import type { StateCount } from './cache/index-db.ts';
import type { View } from './links.ts';
import { methodsOf, type SteveType } from './steve-type.ts';

export interface Summary {
  count?: number;
  errors?: number;
  transitioning?: number;
  states?: Record<string, number>;
}

export interface ItemCount {
  readonly summary: Summary;
  readonly namespaces?: Readonly<Record<string, Summary>>;
}

export type Counts = Readonly<Record<string, ItemCount>>;

/** Types are read from the cluster so many at a time. */
const together = 6;
/** States that go without saying. */
const quiet = new Set(['active', 'running', 'succeeded', 'bound', 'ready', 'completed']);

/** Of every type that this person may list. One that can't be counted just now is left out. */
export async function countsOf(view: View, log: Pick<Log, 'debug'>): Promise<Counts> {
  const types = [...(await view.realm.types()).values()].filter(
    type =>
      type.verbs.includes('list') &&
      type.verbs.includes('watch') &&
      methodsOf(type, view.rights).collection.includes('GET'),
  );
  const counts: Record<string, ItemCount> = {};
  const left = [...types];
  const work = async () => {
    for (let type = left.shift(); type; type = left.shift()) {
      try {
        const found = await view.realm.counts(type);
        if (found) counts[type.id] = itemCount(type, found);
      } catch (error) {
        log.debug({ err: error, type: type.id }, 'a type can not be counted');
      }
    }
  };
  await Promise.all(Array.from({ length: together }, work));
  return Object.fromEntries(types.filter(({ id }) => counts[id]).map(({ id }) => [id, counts[id]!]));
}

function itemCount({ namespaced }: SteveType, states: readonly StateCount[]): ItemCount {
  const summary: Summary = {};
  const namespaces: Record<string, Summary> = {};
  for (const one of states) {
    add(summary, one);
    if (namespaced && one.namespace) add((namespaces[one.namespace] ??= {}), one);
  }
  return { summary, ...(Object.keys(namespaces).length > 0 ? { namespaces } : {}) };
}

function add(to: Summary, { count, error, transitioning, state }: StateCount): void {
  to.count = (to.count ?? 0) + count;
  if (error) to.errors = (to.errors ?? 0) + count;
  if (transitioning) to.transitioning = (to.transitioning ?? 0) + count;
  if (!quiet.has(state)) (to.states ??= {})[state] = (to.states[state] ?? 0) + count;
}

/** The counts as the one resource that they are. */
export function countResource(root: string, counts: Counts): object {
  return { id: 'count', type: 'count', links: { self: `${root}/counts/count` }, counts };
}

/** What is different now; undefined where nothing is. A type that is gone counts nothing. */
export function changedCounts(before: Counts, after: Counts): Counts | undefined {
  const changed: Record<string, ItemCount> = {};
  for (const [id, count] of Object.entries(after))
    if (JSON.stringify(before[id]) !== JSON.stringify(count)) changed[id] = count;
  for (const id of Object.keys(before)) if (!after[id]) changed[id] = { summary: {} };
  return Object.keys(changed).length > 0 ? changed : undefined;
}
