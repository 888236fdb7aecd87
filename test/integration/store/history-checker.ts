/**
 * Judges a recorded run of a store: what writers asked and were told, and what each watcher saw. Records are in the order of
 * real time; values are unique, so that every event has one write it can come from.
 */

export type HistoryRecord =
  | { readonly type: 'invoke'; readonly id: string; readonly key: string; readonly value: string | undefined }
  | { readonly type: 'ok'; readonly id: string; readonly revision: number }
  | { readonly type: 'fail'; readonly id: string };

/** `value` absent: a deletion. A record without key is a bookmark. */
export interface Seen {
  readonly revision: number;
  readonly key?: string;
  readonly value?: string;
}

export interface WatcherLog {
  readonly name: string;
  /** It was begun after this revision. */
  readonly after: number;
  readonly seen: readonly Seen[];
}

/** Every fault found, in words; empty when the run was right. `reference` must have watched from the start to the end. */
export function checkHistory(
  records: readonly HistoryRecord[],
  reference: WatcherLog,
  others: readonly WatcherLog[],
): string[] {
  const truth = reference.seen.filter(({ key }) => key !== undefined);
  return [
    ...checkWrites(records, truth),
    ...checkRealTime(records),
    ...[reference, ...others].flatMap(watcher => checkWatcher(watcher, truth)),
  ];
}

function checkWrites(records: readonly HistoryRecord[], truth: readonly Seen[]): string[] {
  const faults: string[] = [];
  const at = new Map<string, Seen[]>();
  for (const event of truth) {
    const place = `${event.revision} ${event.key}`;
    at.set(place, [...(at.get(place) ?? []), event]);
  }
  const invoked = new Map<string, HistoryRecord & { type: 'invoke' }>();
  const outcome = new Map<string, HistoryRecord>();
  for (const record of records)
    record.type === 'invoke' ? invoked.set(record.id, record) : outcome.set(record.id, record);
  const allowed = new Map<string, string>();
  for (const { id, key, value } of invoked.values()) {
    const end = outcome.get(id);
    if (end?.type === 'ok') {
      const found = at.get(`${end.revision} ${key}`) ?? [];
      if (found.length !== 1 || found[0]!.value !== value)
        faults.push(`${id}: acknowledged write of ${key} at ${end.revision} is ${found.length} times in the history`);
    }
    if (value !== undefined && end?.type !== 'fail') allowed.set(value, key);
  }
  const values = new Set<string>();
  for (const { revision, key, value } of truth) {
    if (value === undefined) continue;
    if (allowed.get(value) !== key)
      faults.push(`event ${revision} of ${key} comes from no write that may have happened`);
    if (values.has(value)) faults.push(`event ${revision} of ${key} happened twice`);
    values.add(value);
  }
  return faults;
}

function checkRealTime(records: readonly HistoryRecord[]): string[] {
  const faults: string[] = [];
  const floor = new Map<string, number>();
  let highest = 0;
  for (const record of records) {
    if (record.type === 'invoke') floor.set(record.id, highest);
    if (record.type !== 'ok') continue;
    if (record.revision <= (floor.get(record.id) ?? 0))
      faults.push(`${record.id}: revision ${record.revision} is not above one that was answered before it began`);
    highest = Math.max(highest, record.revision);
  }
  return faults;
}

function checkWatcher({ name, after, seen }: WatcherLog, truth: readonly Seen[]): string[] {
  const expected = truth.filter(({ revision }) => revision > after);
  let at = 0;
  for (const { revision, key, value } of seen) {
    const next = expected[at];
    if (key === undefined) {
      if (next && next.revision <= revision)
        return [`${name}: bookmark ${revision} overtook event ${next.revision} of ${next.key}`];
      continue;
    }
    if (!next || next.revision !== revision || next.key !== key || next.value !== value)
      return [
        `${name}: saw ${revision} of ${key} where ${next ? `${next.revision} of ${next.key}` : 'nothing'} was due`,
      ];
    at += 1;
  }
  return [];
}
