/**
 * The forms in which a list or watch of namespaces can be asked for: each is taken apart into items that can be judged by their name and
 * project, and put together again from those that stay. What an item holds besides is passed on as it came.
 */
import { internal } from '@drover/base';
import { parse as parseYaml, stringify as toYaml } from 'yaml';
import { projectKey } from '../controllers/cluster-projects.ts';
import { protobufForm } from './namespace-protobuf.ts';

/** One namespace in some form. */
export interface Item {
  readonly name: string;
  readonly resourceVersion: string;
  /** The project that it says it is in. */
  readonly project: string | undefined;
  readonly raw: unknown;
}

export interface Page {
  readonly items: readonly Item[];
  readonly resourceVersion: string;
  /** The cluster's own mark for the next page. */
  readonly next: string | undefined;
  readonly bytes: number;
  readonly raw: unknown;
}

export interface WatchedEvent {
  readonly type: string;
  /** Undefined for bookmarks and errors. */
  readonly item: Item | undefined;
  readonly raw: unknown;
}

export interface Form {
  readList(body: Buffer): Page;
  /** A list like the page's with these items, and a mark for the rest where there is one. */
  makeList(page: Page, items: readonly Item[], next: string | undefined): Buffer;
  /** Whole frames at the beginning of the bytes, and how many bytes they were. */
  readEvents(bytes: Buffer): { readonly events: readonly WatchedEvent[]; readonly used: number };
  /** An event as it goes to the client; undefined item: as it came. */
  makeEvent(type: string, event: Pick<WatchedEvent, 'item' | 'raw'>): Buffer;
  /** An item of a list as a watch gives it. */
  asWatched(page: Page, item: Item): Item;
}

interface Meta {
  readonly name?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Row {
  readonly object?: { readonly metadata?: Meta } | null;
}

interface Json {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: Meta & { readonly continue?: string; readonly remainingItemCount?: number };
  readonly items?: readonly { readonly metadata?: Meta }[];
  readonly columnDefinitions?: readonly unknown[];
  readonly rows?: readonly Row[];
}

/** The form of an answer; `bare` leaves out of a table's rows what they are about. Throws InternalError for one that was not asked for. */
export function formOf(contentType: string, bare: boolean): Form {
  const [type = ''] = contentType.split(';');
  if (type === 'application/json') return new JsonForm(bare);
  if (type === 'application/yaml') return new YamlForm(bare);
  if (type === 'application/vnd.kubernetes.protobuf') return protobufForm;
  throw internal(`the cluster answered a list of namespaces as ${type}`);
}

/** What of an Accept header can be filtered here; undefined where nothing of it can. */
export function filterable(accept: string | undefined): string | undefined {
  const kept = (accept || 'application/json')
    .split(',')
    .map(one => one.trim())
    .flatMap(one => {
      if (/^application\/(?:json|yaml|vnd\.kubernetes\.protobuf)\s*(?:;|$)/i.test(one)) return [one];
      return /^(?:\*\/\*|application\/\*)/.test(one) ? ['application/json'] : [];
    });
  return kept.length > 0 ? kept.join(',') : undefined;
}

function itemOf(meta: Meta | undefined, raw: unknown): Item {
  const { name = '', resourceVersion = '', annotations } = meta ?? {};
  return { name, resourceVersion, project: annotations?.[projectKey], raw };
}

class JsonForm implements Form {
  readonly #bare: boolean;
  #columns: readonly unknown[] | undefined;
  #saidColumns = false;

  constructor(bare: boolean) {
    this.#bare = bare;
  }

  protected parse(text: string): Json {
    return JSON.parse(text) as Json;
  }

  protected format(json: object): string {
    return `${JSON.stringify(json)}\n`;
  }

  readList(body: Buffer): Page {
    const list = this.parse(body.toString('utf8'));
    this.#columns = list.columnDefinitions ?? this.#columns;
    const items = list.rows
      ? list.rows.map(row => itemOf(row.object?.metadata, row))
      : (list.items ?? []).map(item => itemOf(item.metadata, item));
    const { resourceVersion = '', continue: next } = list.metadata ?? {};
    return { items, resourceVersion, next: next || undefined, bytes: body.length, raw: list };
  }

  makeList({ raw }: Page, items: readonly Item[], next: string | undefined): Buffer {
    const { metadata, items: _, rows, ...rest } = raw as Json;
    const { continue: __, remainingItemCount: ___, ...kept } = metadata ?? {};
    const all = items.map(item => this.#shown(item.raw));
    return Buffer.from(
      this.format({
        ...rest,
        metadata: next ? { ...kept, continue: next } : kept,
        ...(rows ? { rows: all } : { items: all }),
      }),
    );
  }

  readEvents(bytes: Buffer) {
    const end = bytes.lastIndexOf(10) + 1;
    const lines = bytes
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .filter(line => line.trim() !== '');
    return { events: lines.map(line => this.#event(line)), used: end };
  }

  makeEvent(type: string, { item, raw }: Pick<WatchedEvent, 'item' | 'raw'>): Buffer {
    if (!item) return Buffer.from(`${JSON.stringify(raw)}\n`);
    return Buffer.from(`${JSON.stringify({ type, object: this.#withColumns(item.raw as Json) })}\n`);
  }

  asWatched({ raw }: Page, item: Item): Item {
    const { kind = '', apiVersion, columnDefinitions, metadata } = raw as Json;
    const object = columnDefinitions
      ? {
          kind,
          apiVersion,
          metadata: { resourceVersion: metadata?.resourceVersion },
          columnDefinitions,
          rows: [item.raw],
        }
      : { kind: kind.replace(/List$/, ''), apiVersion, ...(item.raw as object) };
    return { ...item, raw: object };
  }

  #event(line: string): WatchedEvent {
    const raw = JSON.parse(line) as { type: string; object: Json };
    const { type, object } = raw;
    this.#columns = object.columnDefinitions ?? this.#columns;
    if (type === 'BOOKMARK' || type === 'ERROR') return { type, item: undefined, raw };
    const meta = object.rows ? object.rows[0]?.object?.metadata : object.metadata;
    return { type, item: itemOf(meta, object), raw };
  }

  /** A table says what its columns are in the first event that is sent, and not again. */
  #withColumns(object: Json): Json {
    if (!object.rows) return object;
    const { columnDefinitions: _, rows, ...rest } = object;
    const columns = this.#saidColumns ? {} : { columnDefinitions: this.#columns };
    this.#saidColumns = true;
    return { ...rest, ...columns, rows: rows.map(row => this.#shown(row) as Row) };
  }

  #shown(raw: unknown): unknown {
    if (!this.#bare || !(raw as { cells?: unknown }).cells) return raw;
    const { object: _, ...row } = raw as { object?: unknown };
    return row;
  }
}

class YamlForm extends JsonForm {
  protected override parse(text: string): Json {
    return parseYaml(text) as Json;
  }

  protected override format(json: object): string {
    return toYaml(json, { lineWidth: 0 });
  }
}
