/** The Kubernetes versions that clusters can have, as data: the newest minors, each in one version. */
import { invalid } from '@drover/base';
import data from './data/kubernetes.json' with { type: 'json' };

/** By minor, e.g. `1.37` → `v1.37.2`. */
export const kubernetesVersions: Readonly<Record<string, string>> = data.versions;
export const defaultMinor: string = data.default;

/** For people: `1.35 (v1.35.4), …`. */
export const saidVersions = (): string =>
  Object.entries(kubernetesVersions)
    .map(([minor, version]) => `${minor} (${version})`)
    .join(', ');

/** `1.37` or `v1.37.2` as that minor and its exact version; throws Invalid for what is neither. */
export function parseKubernetes(text: string, field: string): { readonly minor: string; readonly version: string } {
  const [, minor, patch] = /^v?(\d+\.\d+)(\.\d+)?$/.exec(text) ?? [];
  if (minor === undefined) throw invalid(field, `${text} is no version such as 1.37 or v1.37.2`);
  const version = patch === undefined ? kubernetesVersions[minor] : `v${minor}${patch}`;
  if (version === undefined) throw invalid(field, `${minor} is none of ${saidVersions()}`);
  return { minor, version };
}
