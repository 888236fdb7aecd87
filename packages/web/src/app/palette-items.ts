/**
 * What the palette offers: where one was lately, clusters, kinds of the cluster one is in, pages, things to do, and objects of every
 * cluster that match what is typed. A colon begins a command in the grammar of terminals.
 */
import { useQueries } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { quote } from '../list/filter-words.ts';
import { clusterRoot, type Kind, useKinds } from '../net/kinds.ts';
import type { Collection } from '../net/objects.ts';
import { ask } from '../net/request.ts';
import { type ClusterRow, useClusters } from './clusters.ts';
import { aliasesOf, type Command, commandAddress, parseCommand } from './grammar.ts';
import { kindName } from './kind-name.ts';
import { type KubectlShell, useKubectlShell } from './kubectl-shell.ts';
import { bestScore } from './match.ts';
import { openOverlay } from './overlay.ts';
import { addressOf, usePlace } from './place.ts';
import { setPref } from './prefs.ts';
import { recents } from './recents.ts';
import { useServerPages } from './server-pages.ts';

export interface PaletteItem {
  readonly bucket: 'recent' | 'clusters' | 'kinds' | 'pages' | 'actions' | 'objects';
  readonly title: string;
  readonly beside?: string;
  readonly address: string;
  /** What it does in place of leading somewhere. */
  readonly run?: () => void;
}

interface Known {
  readonly item: PaletteItem;
  readonly names: readonly string[];
}

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
  const pages = usePages();
  const kubectl = useKubectlShell();
  const command = parseCommand(typed);
  const objects = useObjects(clusters, command ? '' : asked);
  const all = [...(kinds?.values() ?? [])];
  if (command) return { items: commandItems(t, command, { kinds: all, clusters, clusterId }), isAsking: false };
  const own: Known[] = clusterId
    ? all.map(kind => ({
        item: {
          bucket: 'kinds',
          title: kindName(t, kind),
          beside: kind.group,
          address: addressOf(clusterId, kind.plural),
        },
        names: [kindName(t, kind), ...aliasesOf(kind)],
      }))
    : [];
  const places: Known[] = clusters.map(({ id, name }) => ({
    item: { bucket: 'clusters', title: name, beside: id, address: addressOf(id) },
    names: [name, id],
  }));
  const been: Known[] = recents().map(({ address, title }) => ({
    item: {
      bucket: 'recent',
      title,
      beside: clusters.find(({ id }) => address.startsWith(addressOf(id)))?.name,
      address,
    },
    names: [title],
  }));
  const found = [
    ...been,
    ...own,
    ...places,
    ...[...pages, ...thingsToDo(t, kubectl)].map(one => ({ item: one, names: [one.title] })),
  ]
    .flatMap(({ item, names }) => {
      const points = bestScore(names, typed);
      return points === undefined ? [] : [{ item, points }];
    })
    // Where one was lately stays in its order, until something is typed.
    .sort((a, b) => (typed === '' ? 0 : b.points - a.points))
    .map(({ item }) => item);
  const known = (['recent', 'kinds', 'clusters', 'pages', 'actions'] as const).flatMap(bucket =>
    found.filter(item => item.bucket === bucket).slice(0, perBucket),
  );
  return { items: [...known, ...objects.items], isAsking: objects.isAsking };
}

function usePages(): PaletteItem[] {
  return useServerPages().map(({ title, address }) => ({ bucket: 'pages', title, address }));
}

function thingsToDo(t: TFunction, kubectl: KubectlShell | undefined): PaletteItem[] {
  const action = (title: string, run: () => void): PaletteItem => ({ bucket: 'actions', title, address: title, run });
  return [
    ...(kubectl && !kubectl.blocked ? [action(t('dock.kubectl'), kubectl.open)] : []),
    action(t('act.recent'), () => openOverlay('history')),
    action(t('frame.help'), () => openOverlay('help')),
    ...(['light', 'dark', 'system'] as const).map(theme =>
      action(`${t('frame.theme')}: ${t(`frame.theme.${theme}`)}`, () => setPref('theme', theme)),
    ),
  ];
}

interface Here {
  readonly kinds: readonly Kind[];
  readonly clusters: readonly ClusterRow[];
  readonly clusterId?: string;
}

const mostKinds = 12;

/** The lists that a command may mean, the likeliest first. */
function commandItems(t: TFunction, command: Command, { kinds, clusters, clusterId }: Here): PaletteItem[] {
  const { cluster, namespaces, filter } = command;
  const named =
    cluster === undefined ? undefined : clusters.find(({ id, name }) => name.includes(cluster) || id === cluster);
  const target = cluster === undefined ? clusterId : named?.id;
  if (cluster !== undefined && cluster !== '*' && !named) return [];
  return kinds
    .flatMap(kind => {
      const names = aliasesOf(kind);
      const points = names.includes(command.kind) ? 1000 : bestScore([...names, kindName(t, kind)], command.kind);
      return points === undefined ? [] : [{ kind, points }];
    })
    .sort((a, b) => b.points - a.points)
    .slice(0, mostKinds)
    .map(({ kind }) => ({
      bucket: 'kinds',
      title: kindName(t, kind),
      beside: [kind.group, ...namespaces, filter && `/ ${filter}`, named?.name].filter(Boolean).join(' · '),
      address: commandAddress(target, kind.plural, command),
    }));
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
