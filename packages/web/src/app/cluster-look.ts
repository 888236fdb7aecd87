/** What its people say a cluster is to them: a colour, a banner over each of its pages, a group on the list. Kept on the cluster, for all. */
import type { KubeObject } from '../net/objects.ts';

export const hues = ['red', 'orange', 'green', 'blue', 'purple', 'grey'] as const;
export type Hue = (typeof hues)[number];

export interface ClusterLook {
  readonly hue?: Hue;
  readonly banner: string;
  readonly group: string;
}

export const lookKeys = { hue: 'drover.io/colour', banner: 'drover.io/banner', group: 'drover.io/group' } as const;
export const longestBanner = 120;
export const longestGroup = 40;

/** Whatever stands there: what is no colour is none, and a text is a short one. */
export function lookOf({ metadata }: Pick<KubeObject, 'metadata'>): ClusterLook {
  const { annotations = {} } = metadata;
  const hue = hues.find(one => one === annotations[lookKeys.hue]);
  return {
    ...(hue ? { hue } : {}),
    banner: (annotations[lookKeys.banner] ?? '').slice(0, longestBanner),
    group: (annotations[lookKeys.group] ?? '').slice(0, longestGroup),
  };
}

/** The annotations with a look in them; what is empty is taken out. */
export function withLook(
  annotations: Readonly<Record<string, string>>,
  { hue, banner, group }: { readonly hue: string; readonly banner: string; readonly group: string },
): Record<string, string> {
  const all = { ...annotations, [lookKeys.hue]: hue, [lookKeys.banner]: banner.trim(), [lookKeys.group]: group.trim() };
  return Object.fromEntries(
    Object.entries(all).filter(([key, value]) => value !== '' || !Object.values<string>(lookKeys).includes(key)),
  );
}
