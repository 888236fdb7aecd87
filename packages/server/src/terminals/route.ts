/**
 * `/v1-terminals`: shells in containers that outlive a broken connection, and containers to debug with. A WebSocket with `clusterId`,
 * `namespace`, `pod`, `container` and `command` opens one; with `session` and `read`, the bytes that were read, it goes on with one.
 */
import { badRequest, invalid, methodNotAllowed, notFound } from '@drover/base';
import { WebSocketServer } from 'ws';
import type { ApiDeps } from '../api/behaviour.ts';
import { actionRoute } from '../auth/action-route.ts';
import { requireSameOrigin } from '../auth/index.ts';
import type { Caller, Route, Upgrade } from '../http/exchange.ts';
import { readTarget } from './container-target.ts';
import { startDebugger } from './debug-container.ts';
import { fileRoute } from './file-route.ts';
import { Terminals } from './terminals.ts';

const prefix = '/v1-terminals';
const mostWords = 32;
const mostLength = 4096;

const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: 1 << 20,
});

export function terminalRoutes(deps: ApiDeps, options: { readonly awayMs?: number } = {}): Route[] {
  const terminals = new Terminals(deps, options);
  const actions = actionRoute({
    prefix,
    actions: { debug: ({ caller, body }) => startDebugger(deps, caller, body) },
    read: () => {
      throw methodNotAllowed('GET', 'this path: it takes WebSocket upgrades');
    },
  });
  return [{ ...actions, upgrade: (upgrade, caller) => open(deps, terminals, upgrade, caller!) }, fileRoute(deps)];
}

async function open(deps: ApiDeps, terminals: Terminals, upgrade: Upgrade, caller: Caller): Promise<void> {
  const { request, socket: raw, query } = upgrade;
  requireSameOrigin(request, caller, deps.settings.get('server-url') || undefined);
  if (request.headers.upgrade?.toLowerCase() !== 'websocket')
    throw badRequest('terminals take WebSocket upgrades only');
  if (upgrade.path !== prefix) throw notFound('path', upgrade.path.slice(0, 200));
  const id = query.get('session');
  const read = Number(query.get('read') ?? 0);
  if (!Number.isSafeInteger(read) || read < 0) throw invalid('read', 'must be how many bytes were read');
  const session =
    id === null
      ? await terminals.start(caller, {
          target: readTarget(name => query.get(name)),
          command: readCommand(query),
          tty: true,
          stdin: true,
        })
      : terminals.get(id, caller);
  if (raw.destroyed) {
    session.close();
    return;
  }
  sockets.handleUpgrade(request, raw, upgrade.head, socket => {
    socket.on('error', () => socket.terminate());
    session.attach(socket, raw, read);
  });
}

function readCommand(query: URLSearchParams): string[] {
  const words = query.getAll('command');
  if (words.length === 0 || words.length > mostWords || words.join('').length > mostLength)
    throw invalid('command', `must be given, at most ${mostWords} words of ${mostLength} characters together`);
  return words;
}
