/** The routes of the signed-in API, put together: v3, and what of it has a rule of its own about who may call. */
import type { IncomingMessage } from 'node:http';
import { apiUiRoute } from '../api-ui/assets.ts';
import { ClusterShells } from '../cluster-shells/cluster-shells.ts';
import { explainRoute } from '../explain/route.ts';
import type { Route } from '../http/exchange.ts';
import { publicSettingsRoute } from '../http/public-settings.ts';
import { type OutboundOptions, outboundRoute } from '../outbound/route.ts';
import { terminalRoutes } from '../terminals/route.ts';
import type { ApiDeps } from './behaviour.ts';
import { v3Route } from './route.ts';
import type { RealmOf } from './subscribe.ts';
import { tokensRoute } from './tokens-route.ts';

interface ApiRouteOptions {
  /** Gives what subscribers of a cluster's own objects are told from; without it they are told of none. */
  readonly realmOf?: RealmOf;
  readonly outbound?: OutboundOptions;
  /** Ended by whoever gives it. */
  readonly shells?: ClusterShells;
}

export function apiRoutes(
  deps: ApiDeps,
  baseUrl: (request: IncomingMessage) => string,
  { realmOf, outbound, shells = new ClusterShells(deps) }: ApiRouteOptions = {},
): readonly Route[] {
  const v3 = v3Route(deps, baseUrl, { realmOf, shells });
  return [
    publicSettingsRoute(deps.settings, v3, baseUrl),
    tokensRoute(deps, v3),
    v3,
    explainRoute(deps),
    outboundRoute(deps, baseUrl, outbound),
    ...terminalRoutes({ deps, shells, baseUrl }),
    apiUiRoute,
  ];
}
