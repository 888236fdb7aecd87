/**
 * What is kept of a cluster's past: an event as the cluster told it, or a change of an object with the fields that differ. Values are
 * short, and none of those fields that may hold a secret are told at all.
 */
import type { Resource } from '@drover/base';

export interface HistoryEntry {
  /** The same for an event that comes again: the latest counts. */
  readonly id: string;
  /** When it was last seen. */
  readonly at: string;
  readonly type: 'event' | 'change' | 'gap';
  readonly kind: string;
  /** As the cluster's rights name it. */
  readonly resource: string;
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
  readonly warning?: true;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly what?: 'made' | 'changed' | 'deleted';
  readonly fields?: readonly FieldChange[];
}

export interface FieldChange {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

const longestMessage = 500;
const longestValue = 120;
const mostFields = 12;

export interface KubeEvent extends Resource {
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

const text = (value: unknown, longest: number): string =>
  typeof value === 'string' ? value.replace(/\s+/g, ' ').slice(0, longest) : '';

/** The cluster is not trusted: what is no text or time is none. */
export function eventEntry(event: KubeEvent, now: number): HistoryEntry {
  const { metadata, involvedObject = {}, series } = event;
  const told = series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? metadata.creationTimestamp;
  const ms = Date.parse(String(told));
  const count = series?.count ?? event.count ?? 1;
  return {
    id: String(metadata.uid ?? `${metadata.namespace}/${metadata.name}`).slice(0, 300),
    // A clock that is ahead would stand on top for ever.
    at: new Date(Number.isNaN(ms) ? now : Math.min(ms, now)).toISOString(),
    type: 'event',
    kind: text(involvedObject.kind, 63),
    resource: 'events',
    group: '',
    namespace: text(metadata.namespace, 63),
    name: text(involvedObject.name, 253),
    ...(event.type === 'Normal' ? {} : { warning: true }),
    reason: text(event.reason, 128),
    message: text(event.message, longestMessage),
    ...(Number.isInteger(count) && count > 1 ? { count } : {}),
  };
}

/** An object as far as its changes are told: leaves of it by their paths. */
export interface Leaves extends Resource {
  readonly leaves: Readonly<Record<string, string>>;
}

const mostLeaves = 300;
const deepest = 12;
/** Counts itself up, or says what the rest says already. */
const passedOver =
  /^(?:metadata\.annotations\.(?:deployment\.kubernetes\.io|kubectl\.kubernetes\.io\/last-applied)|metadata\.annotations\..*(?:hash|checksum))/;
/** What people put passwords into: told as changed, without what it was. */
const maybeSecret =
  /(?:\.env\.[^.]*\.value$|\.args\.|\.command\.|^data\.|^binaryData\.|password|token|secret(?!Name|KeyRef)|\bkey$)/i;

/** Keeps of an object what is compared with its next state. */
export function leavesOf(object: Resource): Leaves {
  const leaves: Record<string, string> = {};
  const { metadata } = object;
  const raw = object as Resource & { readonly spec?: unknown; readonly data?: unknown };
  let left = mostLeaves;
  const walk = (value: unknown, path: string, depth: number): void => {
    if (left <= 0 || depth > deepest || passedOver.test(path)) return;
    if (Array.isArray(value)) {
      for (const [at, one] of value.entries()) walk(one, `${path}.${nameOf(one) ?? at}`, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, one] of Object.entries(value)) walk(one, `${path}.${name}`, depth + 1);
    } else if (value !== undefined && value !== null) {
      left--;
      leaves[path.slice(0, 200)] = maybeSecret.test(path)
        ? `#${hash(String(value))}`
        : String(value).slice(0, longestValue);
    }
  };
  walk(raw.spec, 'spec', 0);
  walk(raw.data, 'data', 0);
  walk(metadata.labels, 'metadata.labels', 0);
  walk(metadata.annotations, 'metadata.annotations', 0);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as Resource['metadata'],
    leaves,
  };
}

/** Lists of named things are compared by name, so that one more does not change all that come after it. */
function nameOf(value: unknown): string | undefined {
  const name = (value as { readonly name?: unknown } | null)?.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Only tells that a value is another: too short to find out which it was. */
function hash(value: string): string {
  let sum = 0;
  for (let at = 0; at < value.length; at++) sum = (sum * 31 + value.charCodeAt(at)) | 0;
  return (sum & 0xfffff).toString(36);
}

const shown = (value: string | undefined): string | undefined => (value?.startsWith('#') ? '…' : value);

/** The fields that differ, at most so many; empty where nothing that is told does. */
export function diffLeaves(before: Leaves, after: Leaves): FieldChange[] {
  const paths = new Set([...Object.keys(before.leaves), ...Object.keys(after.leaves)]);
  const found: FieldChange[] = [];
  for (const path of paths) {
    const [was, is] = [before.leaves[path], after.leaves[path]];
    if (was === is) continue;
    found.push({
      path,
      ...(was === undefined ? {} : { before: shown(was)! }),
      ...(is === undefined ? {} : { after: shown(is)! }),
    });
    if (found.length >= mostFields) break;
  }
  return found;
}
