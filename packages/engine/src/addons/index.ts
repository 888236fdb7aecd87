/** What the engine keeps in every cluster that it builds, by addon. */
import type { BundleManifest } from '../bundle/bundle.ts';
import type { ClusterSpec } from '../config/spec.ts';
import type { HostFacts } from '../node/host-input.ts';
import type { Addon } from '../plan/addon.ts';
import { accessObjects } from './access.ts';
import { corednsObjects } from './coredns.ts';
import { metricsServerObjects } from './metrics-server.ts';
import { userAddons } from './user.ts';

export interface AddonInput {
  readonly spec: ClusterSpec;
  readonly bundle: BundleManifest;
  readonly facts: readonly HostFacts[];
}

export async function clusterAddons({ spec, bundle, facts }: AddonInput): Promise<Addon[]> {
  const addons: Addon[] = [{ name: 'drover-access', resources: accessObjects(), early: true }];
  const dns = bundle.images['coredns'];
  if (spec.dns.provider === 'coredns' && dns) {
    const resources = corednsObjects({
      spec,
      image: dns.name,
      hasUpstream: facts.some(({ nameservers }) => nameservers.length > 0),
    });
    addons.push({ name: 'rke-coredns-addon', resources });
  }
  const metrics = bundle.images['metrics-server'];
  if (spec.metrics.provider === 'metrics-server' && metrics) {
    const resources = metricsServerObjects({ image: metrics.name, replicas: spec.metrics.replicas });
    addons.push({ name: 'rke-metrics-addon', resources });
  }
  return [...addons, ...(await userAddons(spec))];
}
