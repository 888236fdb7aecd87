/** /metrics for Prometheus: what runs through this process and what waits. For admins, and for who has the token that the data directory holds. */

import { forbidden, type Secret } from '@drover/base';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Access } from '../auth/access.ts';
import type { Route } from './exchange.ts';
import { sendText } from './health.ts';
import { showsToken } from './metrics-token.ts';

/** What is read when somebody asks: nothing is counted twice. */
export interface MetricSources {
  readonly sessions: () => readonly {
    readonly streams: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly pausedStreams: number;
  }[];
  readonly queues: () => readonly { readonly name: string; depth(): number }[];
  /** Milliseconds between a write and its event, by type. */
  readonly watchLag: () => Iterable<readonly [type: string, ms: number]>;
  /** Audit records by place. */
  readonly audit: () => readonly {
    readonly name: string;
    readonly waiting: number;
    readonly delivered: number;
    readonly dropped: number;
  }[];
}

export interface Metrics {
  readonly registry: Registry;
  readonly onRequest: (route: Route, status: number, ms: number) => void;
  readonly onProxied: (done: { readonly upgrade: boolean; readonly ms: number }) => void;
  /** The sources are there later than the first requests. */
  observe(sources: MetricSources): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'drover_', eventLoopMonitoringPrecision: 20 });
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10];
  const requests = new Histogram({
    name: 'drover_http_request_seconds',
    help: 'Time of requests by route and status class',
    labelNames: ['route', 'status'],
    buckets,
    registers: [registry],
  });
  const proxied = new Histogram({
    name: 'drover_proxy_seconds',
    help: 'Time of requests to clusters',
    labelNames: ['kind'],
    buckets,
    registers: [registry],
  });
  return {
    registry,
    onRequest: (route, status, ms) =>
      requests.observe({ route: route.prefix, status: `${Math.floor(status / 100)}xx` }, ms / 1000),
    onProxied: ({ upgrade, ms }) => proxied.observe({ kind: upgrade ? 'upgrade' : 'request' }, ms / 1000),
    observe: sources => observe(registry, sources),
  };
}

function observe(registry: Registry, { sessions, queues, watchLag, audit }: MetricSources): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const sum = (read: (session: ReturnType<MetricSources['sessions']>[number]) => number) => () =>
    sessions().reduce((all, session) => all + read(session), 0);
  gauge('drover_tunnels', 'Tunnels that stand', () => sessions().length);
  gauge(
    'drover_tunnel_streams',
    'Open streams in tunnels',
    sum(session => session.streams),
  );
  gauge(
    'drover_tunnel_paused_streams',
    'Streams that wait for a slow reader',
    sum(session => session.pausedStreams),
  );
  gauge(
    'drover_tunnel_received_bytes',
    'Bytes received over the tunnels that stand',
    sum(session => session.bytesIn),
  );
  gauge(
    'drover_tunnel_sent_bytes',
    'Bytes sent over the tunnels that stand',
    sum(session => session.bytesOut),
  );
  new Gauge({
    name: 'drover_queue_depth',
    help: 'Resources waiting for their controller',
    labelNames: ['controller'],
    registers: [registry],
    collect() {
      for (const queue of queues()) this.set({ controller: queue.name }, queue.depth());
    },
  });
  new Gauge({
    name: 'drover_watch_lag_seconds',
    help: 'Time from a write to its event, last seen',
    labelNames: ['type'],
    registers: [registry],
    collect() {
      for (const [type, ms] of watchLag()) this.set({ type }, ms / 1000);
    },
  });
  for (const [what, help] of [
    ['waiting', 'Audit records that wait to be taken'],
    ['delivered', 'Audit records that were taken'],
    ['dropped', 'Audit records that were lost'],
  ] as const) {
    new Gauge({
      name: `drover_audit_${what}_records`,
      help,
      labelNames: ['sink'],
      registers: [registry],
      collect() {
        for (const sink of audit()) this.set({ sink: sink.name }, sink[what]);
      },
    });
  }
}

export interface MetricsReaders {
  readonly access: () => Pick<Access, 'isAdmin'>;
  readonly token: Secret;
}

export function metricsRoute(metrics: Pick<Metrics, 'registry'>, { access, token }: MetricsReaders): Route {
  return {
    prefix: '/metrics',
    signIn: 'optional',
    errors: 'norman',
    async handle({ request, response }, caller) {
      if (!showsToken(request, token) && !(caller && access().isAdmin(caller)))
        throw forbidden('metrics are for admins, and for who shows the token in metrics.token in the data directory');
      sendText(response, 200, await metrics.registry.metrics(), metrics.registry.contentType);
    },
  };
}
