/** Features: what of the server can be switched, and what clients ask for that is always as it is. Each is a resource of its own. */
import type { Feature } from '@drover/api';
import { ignoreExists } from '@drover/base';
import type { Caches, Resources } from './resources/index.ts';

interface KnownFeature {
  readonly default: boolean;
  readonly description: string;
  /** It can't be switched: the server knows no other way. */
  readonly locked?: true;
}

export const features = {
  'cluster-shell': { default: true, description: 'Let members of a cluster open a kubectl shell in it' },
  'hide-local-auth-provider': {
    default: false,
    description: 'Hide the local provider, and refuse sign-in with it, while another one is enabled',
  },
  'multi-cluster-management': { default: true, description: 'Manage more than one cluster', locked: true },
  'pod-shell': { default: true, description: 'Let people run commands in pods, by their own rights in the cluster' },
  'token-hashing': { default: true, description: 'Keep hashes of tokens in place of the tokens', locked: true },
  'ui-sql-cache': {
    default: true,
    description: 'Answer lists from an index of what is in each cluster, filtered, sorted and paged by the server',
    locked: true,
  },
} as const satisfies Readonly<Record<string, KnownFeature>>;

export type FeatureName = keyof typeof features;

/** Whether it is on now. */
export function isFeatureOn({ feature }: Pick<Caches, 'feature'>, name: FeatureName): boolean {
  const known: KnownFeature = features[name];
  return known.locked ? known.default : (feature.get(name)?.spec?.value ?? known.default);
}

/** Makes the resources of all features and says of each what it is. */
export async function ensureFeatures(resources: Resources, caches: Pick<Caches, 'feature'>): Promise<void> {
  for (const [name, known] of Object.entries(features) as [string, KnownFeature][]) {
    const status = statusOf(known);
    const there = caches.feature.get(name);
    if (!there) await ignoreExists(resources.create('feature', { metadata: { name }, spec: {}, status }));
    else if (JSON.stringify(there.status) !== JSON.stringify(status))
      await resources.modify('feature', { name }, seen => ({ ...seen, status }));
  }
}

const statusOf = ({ locked, ...known }: KnownFeature): NonNullable<Feature['status']> => ({
  default: known.default,
  description: known.description,
  dynamic: true,
  ...(locked ? { lockedValue: known.default } : {}),
});
