/** An addon: objects that the engine keeps in the cluster as a whole, known again by a digest of what was applied. */
import { createHash } from 'node:crypto';
import type { Resource } from '@drover/base';

export interface Addon {
  /** Of the ConfigMap in kube-system that remembers it. */
  readonly name: string;
  readonly resources: readonly Resource[];
  /** Needed by nodes before they can be ready. */
  readonly early?: boolean;
}

export function addonDigest({ resources }: Addon): string {
  return createHash('sha256').update(JSON.stringify(resources)).digest('hex').slice(0, 32);
}

export const addonLabel = 'drover.io/addon';
export const digestAnnotation = 'drover.io/digest';

/** Remembers by which keys all Secrets of the cluster were last written. */
export const secretsMemory = 'drover-secrets';
