/**
 * `/v1-files`: the files of a container, through commands that run in it as the caller. GET lists a folder, or gives a file (from where
 * a Range says) or a folder as an archive; PUT adds a piece to a file, so that a broken transfer goes on where it was.
 */
import { pipeline } from 'node:stream/promises';
import { forbidden, invalid, methodNotAllowed, notFound, unavailable } from '@drover/base';
import type { KubeClient } from '@drover/kube';
import type { ApiDeps } from '../api/behaviour.ts';
import { guardCsrf, isCrossSite } from '../auth/index.ts';
import { clientFor } from '../clusters/client-for.ts';
import type { Caller, Exchange, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import { requirePodShell } from '../proxy/pod-shell.ts';
import { type ContainerTarget, readTarget } from './container-target.ts';
import {
  archiveCommand,
  listCommand,
  mostEntries,
  parseEntries,
  readCommand,
  readPath,
  sizeCommand,
  writeCommand,
} from './file-commands.ts';
import { outputOf, runCommand } from './run-command.ts';

const prefix = '/v1-files';
const mostListBytes = 4 << 20;
const mostPieceBytes = 64 << 20;

interface Asked {
  readonly exchange: Exchange;
  readonly client: KubeClient;
  readonly target: ContainerTarget;
  readonly path: string;
  readonly signal: AbortSignal;
}

export function fileRoute(deps: ApiDeps): Route {
  return {
    prefix,
    signIn: 'user',
    errors: 'norman',
    handle: (exchange, caller) => handle(deps, exchange, caller!),
  };
}

async function handle(deps: ApiDeps, exchange: Exchange, caller: Caller): Promise<void> {
  const { request, response, query } = exchange;
  const method = request.method ?? '';
  if (exchange.path !== prefix) throw notFound('path', exchange.path.slice(0, 200));
  guardCsrf(request, response, { method, query });
  // A command runs even where something is only read: nobody else's page may start one.
  if (isCrossSite(request)) throw forbidden('a page of another site may not reach into a container');
  requirePodShell(deps.caches);
  const target = readTarget(name => query.get(name));
  const path = readPath(query.get('path'));
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client has gone')));
  const client = clientFor(deps, caller, target.clusterId);
  const signal = AbortSignal.any([gone.signal, deps.auth.sessions.signalFor(caller, target.clusterId)]);
  const asked: Asked = { exchange, client, target, path, signal };
  try {
    if (method === 'GET' && query.get('list') === 'true') await list(asked);
    else if (method === 'GET') await read(asked, query.get('archive') === 'true');
    else if (method === 'PUT') await write(asked);
    else throw methodNotAllowed(method, 'files');
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    await client[Symbol.asyncDispose]();
  }
}

async function list({ exchange, client, target, path, signal }: Asked): Promise<void> {
  const running = await runCommand(client, target, { command: listCommand(path), signal });
  const entries = parseEntries(await outputOf(running, mostListBytes));
  sendJson(
    exchange.response,
    200,
    { path, entries: entries.slice(0, mostEntries), complete: entries.length <= mostEntries },
    noStore,
  );
}

async function read({ exchange, client, target, path, signal }: Asked, isArchive: boolean): Promise<void> {
  const { request, response } = exchange;
  const shared = {
    'content-type': 'application/octet-stream',
    'content-disposition': disposition(path, isArchive),
    'cache-control': 'no-store',
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff',
  };
  if (isArchive) {
    const { output } = await runCommand(client, target, { command: archiveCommand(path), signal });
    response.writeHead(200, shared);
    await pipeline(output, response);
    return;
  }
  const sized = await runCommand(client, target, { command: sizeCommand(path), signal });
  const counted = (await outputOf(sized, 64)).trim();
  if (!/^\d+$/.test(counted)) throw unavailable(`the container does not say how long "${path}" is`);
  const size = Number(counted);
  const from = rangeStart(request.headers.range, size);
  const { output } = await runCommand(client, target, { command: readCommand(path, from ?? 0), signal });
  response.writeHead(from === undefined ? 200 : 206, {
    ...shared,
    'accept-ranges': 'bytes',
    'content-length': size - (from ?? 0),
    ...(from === undefined ? {} : { 'content-range': `bytes ${from}-${size - 1}/${size}` }),
  });
  await pipeline(output, response);
}

/** Only where something begins can be asked for; whatever else asks for all of it. */
function rangeStart(range: string | undefined, size: number): number | undefined {
  const found = /^bytes=(\d+)-$/.exec(range ?? '');
  const from = Number(found?.[1]);
  return found && from < size ? from : undefined;
}

function disposition(path: string, isArchive: boolean): string {
  const name = `${path.split('/').filter(Boolean).at(-1) ?? 'root'}${isArchive ? '.tar' : ''}`;
  return `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, char => `%${char.charCodeAt(0).toString(16)}`)}`;
}

async function write({ exchange, client, target, path, signal }: Asked): Promise<void> {
  const { request, response, query } = exchange;
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (!Number.isSafeInteger(length) || length > mostPieceBytes)
    throw invalid('content-length', `must be given, at most ${mostPieceBytes}`);
  const offset = Number(query.get('offset') ?? 0);
  if (!Number.isSafeInteger(offset) || offset < 0) throw invalid('offset', 'must be how many bytes came before');
  const command = writeCommand(path, { offset, length, isLast: query.get('last') === 'true' });
  const running = await runCommand(client, target, { command, stdin: true, signal });
  const answer = outputOf(running, 256);
  const pass = async (): Promise<void> => {
    for await (const bytes of request as AsyncIterable<Buffer>) await running.stream.write(bytes);
  };
  const passed = pass();
  passed.catch(() => undefined);
  // A command that ends early, by itself or because its user may no longer, waits for nothing more of him.
  await Promise.race([passed, answer.then(() => passed)]);
  sendJson(response, 200, { size: Number((await answer).trim()) }, noStore);
}
