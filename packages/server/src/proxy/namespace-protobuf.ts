/** Lists and watches of namespaces as protocol buffers, whole or as metadata alone: both have their parts in the same places. */
import { badRequest } from '@drover/base';
import { projectKey } from '../controllers/cluster-projects.ts';
import type { Form, Item, Page, WatchedEvent } from './namespace-form.ts';
import { fieldOf, fieldsOf, makeField, textOf } from './proto-fields.ts';

/** What every object begins with, before the envelope (runtime.Unknown) that says what it is. */
const magic = Buffer.from('k8s\0', 'latin1');
const envelope = { typeMeta: 1, raw: 2 } as const;
const list = { metadata: 1, items: 2 } as const;
const listMeta = { resourceVersion: 2, continue: 3, remaining: 4 } as const;
const objectMeta = { name: 1, resourceVersion: 6, annotations: 12 } as const;
const watchEvent = { type: 1, object: 2 } as const;
const maxFrame = 16 << 20;

interface Opened {
  readonly raw: Uint8Array;
  /** The parts of the envelope before and after it. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

function open(object: Uint8Array): Opened {
  if (!magic.equals(object.subarray(0, 4)))
    throw badRequest('what the cluster answered is no protocol buffer of its own');
  const parts = [...fieldsOf(object.subarray(4))];
  const at = parts.findIndex(({ number }) => number === envelope.raw);
  const join = (some: typeof parts) => Buffer.concat(some.map(({ whole }) => whole));
  if (at < 0) return { raw: new Uint8Array(0), before: join(parts), after: new Uint8Array(0) };
  return { raw: parts[at]!.value, before: join(parts.slice(0, at)), after: join(parts.slice(at + 1)) };
}

const close = ({ before, after }: Omit<Opened, 'raw'>, raw: Uint8Array): Buffer =>
  Buffer.concat([magic, before, makeField(envelope.raw, raw), after]);

function itemOf(message: Uint8Array, raw: unknown): Item {
  const meta = fieldOf(message, 1) ?? new Uint8Array(0);
  let [name, resourceVersion, project]: [string, string, string | undefined] = ['', '', undefined];
  for (const { number, value } of fieldsOf(meta)) {
    if (number === objectMeta.name) name = textOf(value);
    else if (number === objectMeta.resourceVersion) resourceVersion = textOf(value);
    else if (number === objectMeta.annotations && textOf(fieldOf(value, 1)) === projectKey)
      project = textOf(fieldOf(value, 2));
  }
  return { name, resourceVersion, project, raw };
}

export const protobufForm: Form = {
  readList(body) {
    const { raw } = open(body);
    const meta = fieldOf(raw, list.metadata) ?? new Uint8Array(0);
    const items: Item[] = [];
    for (const { number, value } of fieldsOf(raw)) if (number === list.items) items.push(itemOf(value, value));
    const next = textOf(fieldOf(meta, listMeta.continue)) || undefined;
    const resourceVersion = textOf(fieldOf(meta, listMeta.resourceVersion));
    return { items, resourceVersion, next, bytes: body.length, raw: body };
  },

  makeList({ raw }: Page, items, next) {
    const opened = open(raw as Buffer);
    const inner = opened.raw;
    const kept = [...fieldsOf(fieldOf(inner, list.metadata) ?? new Uint8Array(0))]
      .filter(({ number }) => number !== listMeta.continue && number !== listMeta.remaining)
      .map(({ whole }) => whole);
    // Kubernetes writes an empty mark where there is none.
    const meta = Buffer.concat([...kept, makeField(listMeta.continue, next ?? '')]);
    const parts = items.map(item => makeField(list.items, item.raw as Uint8Array));
    return close(opened, Buffer.concat([makeField(list.metadata, meta), ...parts]));
  },

  readEvents(bytes) {
    const events: WatchedEvent[] = [];
    let used = 0;
    while (bytes.length - used >= 4) {
      const length = bytes.readUInt32BE(used);
      if (length > maxFrame) throw badRequest('an event of the cluster is too long');
      if (bytes.length - used - 4 < length) break;
      events.push(eventOf(Buffer.from(bytes.subarray(used + 4, used + 4 + length))));
      used += 4 + length;
    }
    return { events, used };
  },

  makeEvent(type, { item, raw }) {
    const event = item
      ? Buffer.concat([
          makeField(watchEvent.type, type),
          makeField(watchEvent.object, makeField(1, item.raw as Uint8Array)),
        ])
      : (raw as Buffer);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(event.length);
    return Buffer.concat([head, event]);
  },

  asWatched({ raw }, item) {
    const { before, after } = open(raw as Buffer);
    const typeMeta = fieldOf(before, envelope.typeMeta) ?? new Uint8Array(0);
    const kind = textOf(fieldOf(typeMeta, 2)).replace(/List$/, '');
    const own = Buffer.concat([makeField(1, fieldOf(typeMeta, 1) ?? ''), makeField(2, kind)]);
    return { ...item, raw: close({ before: makeField(envelope.typeMeta, own), after }, item.raw as Uint8Array) };
  },
};

function eventOf(frame: Buffer): WatchedEvent {
  const type = textOf(fieldOf(frame, watchEvent.type));
  if (type === 'BOOKMARK' || type === 'ERROR') return { type, item: undefined, raw: frame };
  const object = fieldOf(fieldOf(frame, watchEvent.object) ?? new Uint8Array(0), 1) ?? new Uint8Array(0);
  return { type, item: itemOf(open(object).raw, object), raw: frame };
}
