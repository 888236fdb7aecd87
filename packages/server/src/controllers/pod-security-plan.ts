/**
 * Pod security of a cluster's namespaces, planned: a template's defaults as the labels that Kubernetes itself reads, on every
 * namespace that says nothing of its own. What somebody else wrote stays. Pure.
 */
import type { PodSecurityTemplate } from '@drover/api';
import type { Resource } from '@drover/base';

export const podSecurityLabel = 'pod-security.kubernetes.io/';
/** On a namespace: which of these labels are the template's, with their values. */
export const podSecurityKey = 'drover.io/pod-security';
/** Whatever a template says: without what runs here there is no cluster, and nobody to change the template back. */
const needed = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'cattle-system']);

type Labels = Readonly<Record<string, string>>;

export interface LabelPatch {
  readonly name: string;
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotation: string | null;
}

/** The changes; without a template those that take everything back. */
export function planPodSecurity(
  namespaces: readonly Resource[],
  template: Pick<PodSecurityTemplate, 'configuration'> | undefined,
): LabelPatch[] {
  const { defaults, exemptions } = template?.configuration ?? {};
  const exempt = new Set(exemptions?.namespaces ?? []);
  const wanted = Object.fromEntries(
    Object.entries(defaults ?? {}).flatMap(([name, value]) =>
      value ? [[podSecurityLabel + name, String(value)]] : [],
    ),
  );
  return namespaces.flatMap(({ metadata }) => {
    if (metadata.deletionTimestamp) return [];
    const { name, labels = {}, annotations } = metadata;
    const set = parseSet(annotations?.[podSecurityKey]);
    const isHeld = !exempt.has(name) && !needed.has(name);
    return patchFor(name, { labels, set, wanted: isHeld ? wanted : {} }, annotations?.[podSecurityKey]);
  });
}

interface Place {
  readonly labels: Labels;
  /** What is there from a template. */
  readonly set: Labels;
  readonly wanted: Labels;
}

function patchFor(name: string, { labels, set, wanted }: Place, before: string | undefined): LabelPatch[] {
  const changed: Record<string, string | null> = {};
  const ours: Record<string, string> = {};
  const isTheirs = (key: string) => labels[key] !== undefined && labels[key] !== set[key];
  // A level and its version belong together: who says one of them says both.
  const ofMode = (key: string) => key.replace(/-version$/, '');
  const theirs = new Set(Object.keys(labels).filter(isTheirs).map(ofMode));
  for (const [key, value] of Object.entries(wanted)) {
    if (theirs.has(ofMode(key))) continue;
    ours[key] = value;
    if (labels[key] !== value) changed[key] = value;
  }
  for (const key of Object.keys(set)) if (!(key in ours) && labels[key] === set[key]) changed[key] = null;
  const annotation = Object.keys(ours).length > 0 ? JSON.stringify(ours) : null;
  if (Object.keys(changed).length === 0 && annotation === (before ?? null)) return [];
  return [{ name, labels: changed, annotation }];
}

function parseSet(text: string | undefined): Labels {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? (parsed as Labels) : {};
  } catch {
    return {};
  }
}
