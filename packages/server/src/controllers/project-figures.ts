/** What the pods of each project ask for, may take and use: the sums over its namespaces. Pure. */
import type { Project } from '@drover/api';
import type { Resource } from '@drover/base';
import { type Amounts, formatAmounts, type PodFigures, sumAmounts, sumPods } from '@drover/kube';
import { projectKey } from './cluster-projects.ts';

export type ProjectFigures = Pick<NonNullable<Project['status']>, 'requested' | 'limits' | 'usage'>;

export interface SeenInNamespaces {
  readonly namespaces: readonly Resource[];
  readonly podsIn: (namespace: string) => readonly PodFigures[];
  readonly usageIn: (namespace: string) => Amounts | undefined;
}

/** By the project's id. Projects without namespaces are not among them. */
export function planProjects({ namespaces, podsIn, usageIn }: SeenInNamespaces): Map<string, ProjectFigures> {
  const names = Map.groupBy(namespaces, namespace => namespace.metadata.annotations?.[projectKey] ?? '');
  names.delete('');
  return new Map(
    [...names].map(([projectId, all]) => {
      const { requested, limits } = sumPods(all.flatMap(({ metadata }) => podsIn(metadata.name)));
      const used = all.map(({ metadata }) => usageIn(metadata.name)).filter(usage => usage !== undefined);
      return [
        projectId,
        {
          requested: formatAmounts(requested),
          limits: formatAmounts(limits),
          usage: used.length > 0 ? formatAmounts(sumAmounts(used)) : undefined,
        },
      ];
    }),
  );
}

/** Of a namespace only which project it is in. */
export function slimNamespace({ apiVersion, kind, metadata }: Resource): Resource {
  const { name, uid, resourceVersion, annotations } = metadata;
  const project = annotations?.[projectKey];
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion, ...(project ? { annotations: { [projectKey]: project } } : {}) },
  } as Resource;
}
