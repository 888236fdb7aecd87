/**
 * `/v1-terminals`: shells in containers that outlive a broken connection, and containers to debug with. A WebSocket with `clusterId`,
 * `namespace`, `pod`, `container` and `command` opens one, with `clusterId` and `shell=true` a kubectl shell; with `session` and `read`,
 * the bytes that were read, it goes on with one.
 */
import type { IncomingMessage } from 'node:http';
import { invalid, methodNotAllowed, notFound, StatusError } from '@drover/base';
import type { ApiDeps } from '../api/behaviour.ts';
import { noteForAudit } from '../audit/notes.ts';
import { actionRoute } from '../auth/action-route.ts';
import { requireSameOrigin } from '../auth/index.ts';
import type { ClusterShells } from '../cluster-shells/cluster-shells.ts';
import type { Caller, Route, Upgrade } from '../http/exchange.ts';
import { requireWebSocket, webSockets } from '../http/web-sockets.ts';
import { readTarget } from './container-target.ts';
import { startDebugger } from './debug-container.ts';
import { fileRoute } from './file-route.ts';
import type { TerminalSession } from './terminal-session.ts';
import { Terminals } from './terminals.ts';

const prefix = '/v1-terminals';
const mostWords = 32;
const mostLength = 4096;

const sockets = webSockets({ maxPayload: 1 << 20 });

export interface TerminalParts {
  readonly deps: ApiDeps;
  readonly shells: ClusterShells;
  /** How this server was reached. */
  readonly baseUrl: (request: IncomingMessage) => string;
  readonly awayMs?: number;
}

export function terminalRoutes({ deps, shells, baseUrl, awayMs }: TerminalParts): Route[] {
  const terminals = new Terminals(deps, shells, { awayMs });
  const actions = actionRoute({
    prefix,
    actions: { debug: ({ caller, body }) => startDebugger(deps, caller, body) },
    read: () => {
      throw methodNotAllowed('GET', 'this path: it takes WebSocket upgrades');
    },
  });
  return [
    { ...actions, upgrade: (upgrade, caller) => open({ deps, baseUrl, terminals }, upgrade, caller!) },
    fileRoute(deps),
  ];
}

interface Opening extends Pick<TerminalParts, 'deps' | 'baseUrl'> {
  readonly terminals: Terminals;
}

async function open({ deps, baseUrl, terminals }: Opening, upgrade: Upgrade, caller: Caller): Promise<void> {
  const { request, socket: raw, query } = upgrade;
  requireSameOrigin(request, caller, deps.settings.get('server-url') || undefined);
  requireWebSocket(request, 'terminals take WebSocket upgrades only');
  if (upgrade.path !== prefix) throw notFound('path', upgrade.path.slice(0, 200));
  const id = query.get('session');
  const read = Number(query.get('read') ?? 0);
  if (!Number.isSafeInteger(read) || read < 0) throw invalid('read', 'must be how many bytes were read');
  const start = (): Promise<TerminalSession> | TerminalSession => {
    if (query.get('shell') === 'true')
      return terminals.startShell(caller, {
        clusterId: query.get('clusterId') ?? '',
        base: baseUrl(request),
        request,
      });
    const target = readTarget(name => query.get(name));
    return terminals.start(caller, { target, command: readCommand(query), tty: true, stdin: true });
  };
  let session: TerminalSession;
  try {
    session = id === null ? await start() : terminals.get(id, caller);
  } catch (error) {
    // Whoever goes on with one tries again: it may be another server that has it.
    if (id !== null || caller.via !== 'cookie' || !(error instanceof StatusError)) throw error;
    tellRefusal(upgrade, error);
    return;
  }
  if (raw.destroyed) {
    if (id === null) session.close();
    return;
  }
  // A handshake that fails leaves nobody to come back to a new one.
  const abandon = (): void => session.close();
  if (id === null) raw.once('close', abandon);
  sockets.handleUpgrade(request, raw, upgrade.head, socket => {
    raw.off('close', abandon);
    socket.on('error', () => socket.terminate());
    session.attach(socket, raw, read);
  });
}

/** In words, to a browser. */
function tellRefusal({ request, socket: raw, head }: Upgrade, { status, message }: StatusError): void {
  noteForAudit(request, { refused: status });
  sockets.handleUpgrade(request, raw, head, socket => {
    socket.on('error', () => socket.terminate());
    socket.send(JSON.stringify({ type: 'ended', why: message }));
    socket.close(1000, 'refused');
  });
}

function readCommand(query: URLSearchParams): string[] {
  const words = query.getAll('command');
  if (words.length === 0 || words.length > mostWords || words.join('').length > mostLength)
    throw invalid('command', `must be given, at most ${mostWords} words of ${mostLength} characters together`);
  return words;
}
