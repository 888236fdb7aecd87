/** What the palette offers: clusters, kinds of the cluster one is in, pages, and objects of every cluster that match what is typed. */
import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { quote } from '../list/rows.ts';
import { clusterRoot, useKinds } from '../net/kinds.ts';
import type { Collection } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { useMay } from '../net/v3.ts';
import { useClusters } from './clusters.ts';
import { kindName } from './kind-name.ts';
import { bestScore } from './match.ts';
import { addressOf, usePlace } from './place.ts';

export interface PaletteItem {
  readonly bucket: 'clusters' | 'kinds' | 'pages' | 'objects';
  readonly title: string;
  readonly beside?: string;
  readonly address: string;
}

const shortNames: Readonly<Record<string, readonly string[]>> = {
  pods: ['po'],
  'apps.deployments': ['deploy', 'dp'],
  'apps.statefulsets': ['sts'],
  'apps.daemonsets': ['ds'],
  services: ['svc'],
  'networking.k8s.io.ingresses': ['ing'],
  configmaps: ['cm'],
  persistentvolumes: ['pv'],
  persistentvolumeclaims: ['pvc'],
  'storage.k8s.io.storageclasses': ['sc'],
  namespaces: ['ns'],
  nodes: ['no'],
  events: ['ev'],
  'batch.cronjobs': ['cj'],
  'autoscaling.horizontalpodautoscalers': ['hpa'],
  serviceaccounts: ['sa'],
};
const searched = ['apps.deployments', 'pods', 'services', 'nodes', 'namespaces', 'configmaps'];
const perBucket = 6;
const perKind = 4;
const mostClusters = 10;

/** `typed` is looked for at once in what is known here, `asked` in the clusters, once one has paused. */
export function usePaletteItems(
  typed: string,
  asked: string,
): { readonly items: readonly PaletteItem[]; readonly isAsking: boolean } {
  const { t } = useTranslation();
  const { clusterId } = usePlace();
  const clusters = useClusters().data?.rows ?? [];
  const kinds = useKinds(clusterId ?? clusters[0]?.id ?? 'none').data;
  const may = useMay();
  const objects = useObjects(clusters, asked);
  const pages: PaletteItem[] = [
    { bucket: 'pages', title: t('frame.clusters'), address: '/' },
    ...(may('cluster', 'POST') ? [{ bucket: 'pages', title: t('home.import'), address: '/import' } as const] : []),
    ...(may('user', 'POST') ? [{ bucket: 'pages', title: t('frame.users'), address: '/users' } as const] : []),
    { bucket: 'pages', title: t('frame.tokens'), address: '/tokens' },
    { bucket: 'pages', title: t('account.title'), address: '/account' },
    ...(may('setting', 'POST') ? [{ bucket: 'pages', title: t('frame.settings'), address: '/settings' } as const] : []),
  ];
  const own = clusterId
    ? [...(kinds?.values() ?? [])].map(kind => ({
        item: {
          bucket: 'kinds',
          title: kindName(t, kind),
          beside: kind.group,
          address: addressOf(clusterId, kind.plural),
        } as const,
        names: [kindName(t, kind), kind.kind, ...(shortNames[kind.plural] ?? [])],
      }))
    : [];
  const places = clusters.map(({ id, name }) => ({
    item: { bucket: 'clusters', title: name, beside: id, address: addressOf(id) } as const,
    names: [name, id],
  }));
  const all = [...own, ...places, ...pages.map(item => ({ item, names: [item.title] }))];
  const found = all.flatMap(({ item, names }) => {
    const points = bestScore(names, typed);
    return points === undefined ? [] : [{ item, points }];
  });
  const items = found.sort((a, b) => b.points - a.points).map(({ item }) => item);
  const known = (['kinds', 'clusters', 'pages'] as const).flatMap(bucket =>
    items.filter(item => item.bucket === bucket).slice(0, perBucket),
  );
  return { items: [...known, ...objects.items], isAsking: objects.isAsking };
}

function useObjects(clusters: readonly { id: string; name: string }[], text: string) {
  const wanted = text.trim();
  const asked = wanted.length < 2 ? [] : clusters.slice(0, mostClusters);
  const pairs = asked.flatMap(cluster => searched.map(plural => ({ cluster, plural })));
  const results = useQueries({
    queries: pairs.map(({ cluster, plural }) => ({
      queryKey: ['found', cluster.id, plural, wanted],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        ask<Collection>(
          `${clusterRoot(cluster.id)}/${plural}?pagesize=${perKind}&page=1&include=metadata.name&filter=${encodeURIComponent(`metadata.name~${quote(wanted)}`)}`,
          { signal },
        ),
      // A cluster that can't be reached has nothing to offer just now.
      retry: false,
      staleTime: 5000,
    })),
  });
  const items = results.flatMap(({ data }, i) => {
    const { cluster, plural } = pairs[i]!;
    return (data?.data ?? []).map(
      ({ id }): PaletteItem => ({
        bucket: 'objects',
        title: id,
        beside: `${plural.replace(/^.*\./, '')} · ${cluster.name}`,
        address: addressOf(cluster.id, plural, id),
      }),
    );
  });
  return { items, isAsking: results.some(({ isPending }) => isPending) };
}
