/**
 * A list of the namespaces that somebody sees. The cluster is asked for pages, and each is cut down before the next is asked for; a limit of
 * the client's counts those that he gets.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { badRequest, tooLarge } from '@drover/base';
import type { Exchange } from '../http/exchange.ts';
import { type Form, formOf, type Item, type Page } from './namespace-form.ts';
import { countOf, type NamespaceView, namespacesPath, noteSeen } from './namespace-view.ts';

const pageSize = 500;
const mostBytes = 64 << 20;
/** What is shorter costs more to pack than to send; a kube-apiserver's own bound. */
const packFrom = 128 << 10;
const pack = promisify(gzip);

/** Where a list goes on: the cluster's own mark, or its first page, and the last name that was given of it. */
export interface Mark {
  readonly next?: string;
  readonly resourceVersion?: string;
  readonly after?: string;
}

export async function answerList(view: NamespaceView, exchange: Exchange): Promise<void> {
  const { body, contentType } = await readList(view);
  const packs = /\bgzip\b/.test(String(exchange.request.headers['accept-encoding'] ?? '')) && body.length >= packFrom;
  const sent = packs ? await pack(body, { level: 1 }) : body;
  const headers = { 'content-type': contentType, 'content-length': sent.length, vary: 'Accept-Encoding' };
  exchange.response.writeHead(200, packs ? { ...headers, 'content-encoding': 'gzip' } : headers).end(sent);
}

async function readList(view: NamespaceView): Promise<{ readonly body: Buffer; readonly contentType: string }> {
  const limit = countOf(view.query, 'limit');
  let mark = readMark(view.query.get('continue'));
  let first: { readonly page: Page; readonly form: Form; readonly contentType: string } | undefined;
  const kept: Item[] = [];
  let bytes = 0;
  for (;;) {
    const asked: Mark = mark;
    const { page, form, contentType } = await readPage(view, asked);
    if (!first) noteSeen(view, page.resourceVersion);
    first ??= { page, form, contentType };
    const { after } = asked;
    const seen = page.items.filter(item => (after === undefined || item.name > after) && view.sees(item));
    const room = limit === undefined ? seen.length : limit - kept.length;
    kept.push(...seen.slice(0, room));
    bytes += seen.length === 0 ? 0 : (page.bytes * seen.length) / page.items.length;
    if (bytes > mostBytes) throw tooLarge('these are too many namespaces for one answer; ask for them with a limit');
    const { resourceVersion } = page;
    if (seen.length > room) mark = { ...asked, resourceVersion, after: kept.at(-1)!.name };
    else if (page.next) mark = { next: page.next };
    else return { body: first.form.makeList(first.page, kept, undefined), contentType: first.contentType };
    if (limit !== undefined && kept.length >= limit)
      return { body: first.form.makeList(first.page, kept, formatMark(mark)), contentType: first.contentType };
  }
}

/** One page of the cluster's, in the form that is wanted. */
async function readPage(
  view: NamespaceView,
  mark: Mark,
): Promise<{ readonly page: Page; readonly form: Form; readonly contentType: string }> {
  const { query, accept, asked, cluster } = view;
  const from = mark.next
    ? { continue: mark.next }
    : mark.resourceVersion
      ? { resourceVersion: mark.resourceVersion, resourceVersionMatch: 'Exact' }
      : given(query, 'resourceVersion', 'resourceVersionMatch');
  const { body, headers } = await cluster.stream('GET', namespacesPath, {
    query: { ...given(query, 'labelSelector', 'fieldSelector'), ...objectOf(query), ...from, limit: pageSize },
    headers: { accept },
    signal: asked.signal,
  });
  const contentType = String(headers['content-type'] ?? '');
  const form = formOf(contentType, isBare(query));
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) throw tooLarge('the cluster’s list of namespaces is too long');
    chunks.push(chunk);
  }
  return { page: form.readList(Buffer.concat(chunks)), form, contentType };
}

/** All pages from there on. */
export async function* readPages(
  view: NamespaceView,
  from: Mark,
): AsyncGenerator<{ readonly page: Page; readonly form: Form }> {
  const without = new URLSearchParams(view.query);
  // Where it begins is said by the mark alone.
  for (const name of ['resourceVersion', 'resourceVersionMatch']) without.delete(name);
  // A list of what a watch gives one by one.
  const accept = view.accept.replaceAll(/as=PartialObjectMetadata(?=;|,|$)/g, 'as=PartialObjectMetadataList');
  const bare = { ...view, query: without, accept };
  for (let mark: Mark | undefined = from; mark; ) {
    const { page, form }: { page: Page; form: Form } = await readPage(bare, mark);
    yield { page, form };
    mark = page.next === undefined ? undefined : { next: page.next };
  }
}

/** Parameters that go to the cluster as they are. */
export const given = (query: URLSearchParams, ...names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap(name => (query.get(name) === null ? [] : [[name, query.get(name)!]])));

/** Rows of a table are judged by what they are about, and shown without it where that was wanted. */
export const isBare = (query: URLSearchParams): boolean => query.get('includeObject') === 'None';
export const objectOf = (query: URLSearchParams): Record<string, string> => ({
  includeObject: query.get('includeObject') === 'Object' ? 'Object' : 'Metadata',
});

const formatMark = (mark: Mark): string => Buffer.from(JSON.stringify({ drover: mark })).toString('base64url');

function readMark(text: string | null): Mark {
  if (!text) return {};
  try {
    const { next, resourceVersion, after } = (
      JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as { drover: Mark }
    ).drover;
    const all = [next, resourceVersion, after];
    if (all.every(one => one === undefined || typeof one === 'string')) return { next, resourceVersion, after };
  } catch {
    // Said below.
  }
  throw badRequest('continue must be what an earlier list gave');
}
