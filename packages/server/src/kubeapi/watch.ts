/**
 * Watch: changes as they happen, one JSON document a line. Each event is sent as this caller may see it now: what he may
 * no longer see is deleted for him, and what was never his he is not told of. When he is given other rights the watch ends
 * with Expired, so that clients list anew.
 */
import { once } from 'node:events';
import { badRequest, expired, StatusError, Tally, tooManyRequests, toStatus } from '@drover/base';
import type { RightsKeys } from '../subscribe/rights-key.ts';
import { type Call, isOn } from './call.ts';
import { type AnyResource, type KubeType, managementApiVersion } from './kube-type.ts';
import { listObjects, wholeNumber } from './read.ts';
import { parseSelectors } from './selectors.ts';
import type { Json } from './shape.ts';
import { maySee, type Shown, showObject } from './show.ts';
import { inForm } from './table.ts';

/** So many at once for one user; clients hold one or two for each type. */
const perUser = 200;
const bookmarkEveryMs = 60_000;
const shortestDefaultMs = 30 * 60_000;

export class Watches {
  readonly #rights: RightsKeys;
  readonly #open = new Tally<string>();

  constructor(rights: RightsKeys) {
    this.#rights = rights;
  }

  /** Answers until the client goes, its session ends, or `timeoutSeconds` are over. */
  async answer(call: Call): Promise<void> {
    const { caller } = call.request;
    if (this.#open.of(caller.userId) >= perUser)
      throw tooManyRequests(`you have ${perUser} watches open here: close one first`, 5);
    this.#open.add(caller.userId);
    try {
      await this.#run(call);
    } finally {
      this.#open.remove(caller.userId);
    }
  }

  async #run(call: Call): Promise<void> {
    const { request, query, type } = call;
    const { response } = request.exchange;
    const { caller, deps } = request;
    const rights = this.#rights.of(caller);
    const matches = parseSelectors(query, type, call.name);
    const passes = (one: AnyResource) => matches(one) && maySee(request, type, one);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const seconds = wholeNumber(query, 'timeoutSeconds');
    // Clients that come at once shall not all come back at once.
    const lastMs = seconds ? Math.min(seconds, 86_400) * 1000 : shortestDefaultMs * (1 + Math.random());
    const over = AbortSignal.timeout(Math.ceil(lastMs));
    const signal = AbortSignal.any([gone.signal, over, deps.auth.sessions.signalFor(caller)]);
    const start = await begin(call);
    const lines = new Lines(call, signal);
    try {
      for (const object of start.objects) await lines.send('ADDED', object);
      if (start.marked) await lines.bookmark(start.version, true);
      const options = { namespace: call.namespace, resourceVersion: start.version, bookmarkEveryMs, signal };
      for await (const event of deps.resources.watch(type.id, options)) {
        if (this.#rights.of(caller) !== rights) throw expired('your rights have changed: list anew');
        if (event.type === 'BOOKMARK') {
          lines.open();
          if (isOn(query, 'allowWatchBookmarks')) await lines.bookmark(event.resourceVersion);
          continue;
        }
        const object = event.object as AnyResource;
        const before = event.previous?.() as AnyResource | undefined;
        const sent = turnOf(event.type, passes(object), before !== undefined && passes(before));
        if (sent) await lines.send(sent, sent === 'DELETED' && before ? versioned(before, object) : object);
      }
    } catch (error) {
      if (gone.signal.aborted) return;
      if (!signal.aborted) {
        if (!(error instanceof StatusError)) throw error;
        // An old revision is told of within the stream, where clients look for it.
        await lines.error(error);
      }
    }
    lines.open();
    response.end();
  }
}

type Turn = 'ADDED' | 'MODIFIED' | 'DELETED';

/** What an event is to somebody who sees the object now, or saw it before. */
function turnOf(type: Turn, now: boolean, before: boolean): Turn | undefined {
  if (type === 'DELETED') return before || now ? 'DELETED' : undefined;
  if (type === 'ADDED') return now ? 'ADDED' : undefined;
  if (now) return before ? 'MODIFIED' : 'ADDED';
  return before ? 'DELETED' : undefined;
}

const versioned = (object: AnyResource, { metadata: { resourceVersion } }: AnyResource): AnyResource => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

interface Start {
  readonly objects: readonly AnyResource[];
  readonly version: string;
  /** Whether the end of what was there is to be marked. */
  readonly marked: boolean;
}

/** Without a revision, or from 0, a watch begins with all that is there. */
async function begin(call: Call): Promise<Start> {
  const asked = call.query.get('resourceVersion') ?? '';
  const initial = isOn(call.query, 'sendInitialEvents');
  if (asked !== '' && !/^\d{1,19}$/.test(asked)) throw badRequest(`resourceVersion: Invalid value: "${asked}"`);
  if (initial && call.query.get('resourceVersionMatch') !== 'NotOlderThan')
    throw badRequest('sendInitialEvents needs resourceVersionMatch=NotOlderThan');
  if (asked !== '' && asked !== '0' && !initial) return { objects: [], version: asked, marked: false };
  const query = new URLSearchParams(call.query);
  for (const name of ['limit', 'continue', 'resourceVersionMatch']) query.delete(name);
  const { objects, resourceVersion } = await listObjects({ ...call, query });
  return { objects, version: resourceVersion, marked: initial && isOn(call.query, 'allowWatchBookmarks') };
}

/** Writes events, and waits while the client does not read. */
class Lines {
  readonly #call: Call;
  readonly #signal: AbortSignal;
  readonly #type: KubeType;
  #sent = 0;

  constructor(call: Call, signal: AbortSignal) {
    this.#call = call;
    this.#signal = signal;
    this.#type = call.type;
  }

  /** Sends the headers, so that a client knows that its watch stands. */
  open(): void {
    const { response } = this.#call.request.exchange;
    if (response.headersSent) return;
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
  }

  async send(type: Turn, resource: AnyResource): Promise<void> {
    const { request, form, query } = this.#call;
    const shown = showObject(request, this.#type, resource);
    const include = query.get('includeObject') ?? 'Metadata';
    await this.#write({ type, object: inForm(shown, form, { type: this.#type, include, bare: this.#sent++ > 0 }) });
  }

  async bookmark(resourceVersion: string, initialEnd = false): Promise<void> {
    const { kind } = this.#type.declaration;
    const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const object = { kind, apiVersion: managementApiVersion, metadata: { resourceVersion, ...annotations } } as Shown;
    const { form } = this.#call;
    const formed =
      form === 'Table' ? inForm(object, form, { type: this.#type, include: 'Metadata', bare: true }) : object;
    await this.#write({ type: 'BOOKMARK', object: formed });
  }

  async error(error: StatusError): Promise<void> {
    await this.#write({ type: 'ERROR', object: toStatus(error) });
  }

  async #write(event: Json): Promise<void> {
    const { response } = this.#call.request.exchange;
    this.open();
    if (!response.write(`${JSON.stringify(event)}\n`)) await once(response, 'drain', { signal: this.#signal });
  }
}
