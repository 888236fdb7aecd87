/**
 * The grammar that people know from terminals, for the palette: `:po`, `:deploy shop`, `:po /web`, `:po !old`, `:po -l app=web`,
 * `:po @cluster`, in any order after the kind.
 */
import type { Kind } from '../net/kinds.ts';
import { acrossAddress, addressOf } from './place.ts';

const shortNames: Readonly<Record<string, readonly string[]>> = {
  pods: ['po'],
  'apps.deployments': ['deploy', 'dp'],
  'apps.statefulsets': ['sts'],
  'apps.daemonsets': ['ds'],
  'apps.replicasets': ['rs'],
  services: ['svc'],
  endpoints: ['ep'],
  'networking.k8s.io.ingresses': ['ing'],
  'networking.k8s.io.networkpolicies': ['netpol', 'np'],
  configmaps: ['cm'],
  secrets: ['sec'],
  persistentvolumes: ['pv'],
  persistentvolumeclaims: ['pvc'],
  'storage.k8s.io.storageclasses': ['sc'],
  namespaces: ['ns'],
  nodes: ['no'],
  events: ['ev'],
  'batch.cronjobs': ['cj'],
  'autoscaling.horizontalpodautoscalers': ['hpa'],
  'policy.poddisruptionbudgets': ['pdb'],
  resourcequotas: ['quota'],
  limitranges: ['limits'],
  serviceaccounts: ['sa'],
  'apiextensions.k8s.io.customresourcedefinitions': ['crd'],
};

/** All that a kind answers to: its names in every form, and the short ones. */
export const aliasesOf = ({ plural, kind, resource }: Kind): readonly string[] => [
  kind.toLowerCase(),
  resource,
  plural,
  ...(shortNames[plural] ?? []),
];

export interface Command {
  /** The first word: what kind is meant. */
  readonly kind: string;
  readonly namespaces: readonly string[];
  /** For the filter of the list. */
  readonly filter: string;
  /** Part of a cluster's name, `*` for all; undefined for the one that one is in. */
  readonly cluster?: string;
}

/** Undefined for what is no command. */
export function parseCommand(typed: string): Command | undefined {
  if (!typed.startsWith(':')) return undefined;
  const [kind = '', ...words] = typed.slice(1).trim().split(/\s+/);
  const filter: string[] = [];
  const namespaces: string[] = [];
  let cluster: string | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-l') filter.push(word, words.shift() ?? '');
    else if (word === '-f') filter.push(words.shift() ?? '');
    else if (word.startsWith('/')) filter.push(word.slice(1));
    else if (word.startsWith('!')) filter.push(word);
    else if (word.startsWith('@')) cluster = word.slice(1);
    else namespaces.push(word);
  }
  const wanted = filter.filter(Boolean).join(' ');
  return { kind: kind.toLowerCase(), namespaces, filter: wanted, ...(cluster === undefined ? {} : { cluster }) };
}

/** Where a command leads in a cluster, or across all of them. */
export function commandAddress(clusterId: string | undefined, plural: string, { namespaces, filter }: Command): string {
  const query = new URLSearchParams();
  if (namespaces.length > 0 && clusterId !== undefined) query.set('ns', namespaces.join(','));
  if (filter) query.set('q', filter);
  const address = clusterId === undefined ? acrossAddress(plural) : addressOf(clusterId, plural);
  return query.size > 0 ? `${address}?${query}` : address;
}
