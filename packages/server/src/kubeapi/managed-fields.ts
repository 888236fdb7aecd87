/**
 * managedFields: which manager has set which fields. Kept at every write through this API; a conflict is an applied value
 * that differs from what another manager has set. Surprise: what v3 and the server's controllers write is not noted.
 */
import type { TypeDeclaration } from '@drover/api';
import { badRequest, StatusError } from '@drover/base';
import { decodeFields, encodeFields, formatPath, leavesOf, type Path, withLeaf } from './field-set.ts';
import { managementApiVersion } from './kube-type.ts';
import { isObject, type Json } from './shape.ts';
import { withCauses } from './status.ts';

export interface FieldOwner {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
}

interface Entry extends FieldOwner {
  readonly time: string;
  readonly fields: Set<Path>;
}

const mostUpdaters = 10;
const mostEntries = 100;
const ancient = 'ancient-changes';

export interface Tracking {
  readonly declaration: TypeDeclaration;
  readonly manager: FieldOwner;
  readonly now: string;
}

/** The managedFields of `next` after a create, update or patch; `old` is what was there. */
export function trackUpdate(old: Json | undefined, next: Json, { declaration, manager, now }: Tracking): Json[] {
  const before = old ? leavesOf(old, declaration) : new Map<Path, string>();
  const after = leavesOf(next, declaration);
  const changed = [...after].filter(([path, value]) => before.get(path) !== value).map(([path]) => path);
  const entries = readEntries(next).map(entry => ({
    ...entry,
    fields: new Set([...entry.fields].filter(path => after.has(path))),
  }));
  const own = entries.find(entry => isSame(entry, manager));
  for (const entry of entries) if (entry !== own) for (const path of changed) entry.fields.delete(path);
  if (own) for (const path of changed) own.fields.add(path);
  const grown = own && changed.length > 0 ? entries.map(one => (one === own ? { ...own, time: now } : one)) : entries;
  if (!own && changed.length > 0) grown.push({ ...manager, time: now, fields: new Set(changed) });
  return writeEntries(capped(grown));
}

export interface Applying extends Tracking {
  readonly force: boolean;
}

/** What is there with what is applied: the manager's former fields that it applies no more go, if nobody else has them. */
export function applyObject(live: Json | undefined, applied: Json, options: Applying): Json {
  const { declaration, manager, now, force } = options;
  const wanted = leavesOf(applied, declaration);
  const there = live ? leavesOf(live, declaration) : new Map<Path, string>();
  const entries = live ? readEntries(live) : [];
  const others = entries.filter(entry => !isSame(entry, manager));
  const conflicts = others.flatMap(entry =>
    [...entry.fields]
      .filter(path => wanted.has(path) && wanted.get(path) !== there.get(path))
      .map(path => ({ entry, path })),
  );
  if (conflicts.length > 0 && !force) throw conflictError(conflicts);
  for (const { entry, path } of conflicts) entry.fields.delete(path);
  const own = entries.find(entry => isSame(entry, manager));
  let merged: unknown = live ?? { apiVersion: applied['apiVersion'], kind: applied['kind'], metadata: {} };
  for (const path of own?.fields ?? []) {
    if (wanted.has(path) || others.some(entry => entry.fields.has(path))) continue;
    merged = withLeaf(merged, JSON.parse(path) as string[], undefined);
  }
  for (const [path, value] of wanted) merged = withLeaf(merged, JSON.parse(path) as string[], value);
  const fields = new Set(wanted.keys());
  const isUnchanged = own && own.fields.size === fields.size && [...fields].every(path => own.fields.has(path));
  const mine: Entry = { ...manager, time: isUnchanged && conflicts.length === 0 ? own.time : now, fields };
  const managedFields = writeEntries([...others, ...(fields.size > 0 ? [mine] : [])]);
  const result = merged as Json;
  return { ...result, metadata: { ...(result['metadata'] as Json), managedFields } };
}

function conflictError(conflicts: readonly { readonly entry: Entry; readonly path: Path }[]): StatusError {
  const causes = conflicts.map(({ entry, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${entry.name}" using ${managementApiVersion}`,
    field: formatPath(path),
  }));
  const listed = causes.map(({ message, field }) => `${message}: ${field}`).join('\n- ');
  const many = causes.length === 1 ? '1 conflict: ' : `${causes.length} conflicts:\n- `;
  return withCauses(new StatusError(409, 'Conflict', `Apply failed with ${many}${listed}`), causes);
}

const isSame = (a: FieldOwner, b: FieldOwner) => a.name === b.name && a.operation === b.operation;

/** Too many that updated once are put together, the oldest first, as a kube-apiserver does. */
function capped(entries: readonly Entry[]): Entry[] {
  const updaters = entries.filter(one => one.operation === 'Update').sort((a, b) => (a.time < b.time ? -1 : 1));
  const surplus = updaters.slice(0, Math.max(0, updaters.length - mostUpdaters));
  if (surplus.length === 0) return [...entries];
  const fields = new Set(surplus.flatMap(one => [...one.fields]));
  const merged: Entry = { name: ancient, operation: 'Update', time: surplus.at(-1)!.time, fields };
  return [merged, ...entries.filter(one => !surplus.includes(one))];
}

/** Throws BadRequest for managedFields that a client sent and that can't be read. */
function readEntries(object: Json): Entry[] {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const list = metadata['managedFields'];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list) || list.length > mostEntries)
    throw badRequest(`metadata.managedFields must be a list of at most ${mostEntries}`);
  return list
    .filter(isObject)
    .filter(one => Object.keys(one).length > 0)
    .map(one => {
      const { manager, operation, time, fieldsV1 } = one;
      if (operation !== 'Apply' && operation !== 'Update')
        throw badRequest('metadata.managedFields: operation must be Apply or Update');
      return {
        name: String(manager ?? '').slice(0, 128),
        operation,
        time: typeof time === 'string' ? time : '',
        fields: decodeFields(fieldsV1 ?? {}),
      };
    });
}

function writeEntries(entries: readonly Entry[]): Json[] {
  return entries
    .filter(({ fields }) => fields.size > 0)
    .map(({ name, operation, time, fields }) => ({
      manager: name,
      operation,
      apiVersion: managementApiVersion,
      time,
      fieldsType: 'FieldsV1',
      fieldsV1: encodeFields(fields),
    }));
}
