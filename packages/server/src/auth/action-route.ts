/** A path with nothing but actions, `POST PREFIX?action=NAME` with a small body in JSON, for what is no resource of v3. */
import { invalid, methodNotAllowed, notFound } from '@drover/base';
import type { Caller, Exchange, Route } from '../http/exchange.ts';
import { noStore, sendJson } from '../http/send-json.ts';
import { guardCsrf } from './csrf.ts';
import { readSmallJson } from './login-body.ts';

export interface AskedAction {
  readonly exchange: Exchange;
  readonly caller: Caller;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ActionRoute {
  readonly prefix: string;
  /** Each answers a body, or undefined for an empty 204. */
  readonly actions: Readonly<Record<string, (asked: AskedAction) => unknown>>;
  /** What a GET answers, where there is something to see. */
  readonly read?: (caller: Caller) => unknown;
  /** Throws for who may not ask here at all. */
  readonly admit?: (caller: Caller) => void;
}

export function actionRoute({ prefix, actions, read, admit }: ActionRoute): Route {
  return {
    prefix,
    signIn: 'user',
    errors: 'norman',
    async handle(exchange, signedIn) {
      const { request, response, query, path } = exchange;
      const caller = signedIn!;
      if (path !== prefix && path !== `${prefix}/`) throw notFound('path', path.slice(0, 200));
      admit?.(caller);
      if (request.method === 'GET' && read) return sendJson(response, 200, await read(caller), noStore);
      if (request.method !== 'POST') throw methodNotAllowed(request.method ?? '', 'this path');
      guardCsrf(request, response, { method: 'POST', query });
      const name = query.get('action') ?? '';
      const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
      if (!action) throw invalid('action', `must be one of ${Object.keys(actions).join(', ')}`, 'InvalidAction');
      const answer = await action({ exchange, caller, body: await readSmallJson(request) });
      if (answer === undefined) response.writeHead(204).end();
      else sendJson(response, 200, answer, noStore);
    },
  };
}
