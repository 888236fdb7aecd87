/** Which columns a list of a kind has: the cluster's own, less what is shown otherwise, and how wide each wants to be. */
import type { Kind } from '../net/kinds.ts';

export interface ListColumn {
  readonly id: string;
  readonly title: string;
  /** What the server sorts by. */
  readonly sort: string;
  /** Where the cell stands in `metadata.fields`; absent for those that are read otherwise. */
  readonly field?: number;
  /** Which label stands there. */
  readonly label?: string;
  /** Shown unless somebody chose otherwise. */
  readonly shown: boolean;
}

/** Their state says the same, and more. */
const saidByState: ReadonlySet<string> = new Set(['Status', 'Phase']);
/** Kinds that are always just there. */
const stateless: ReadonlySet<string> = new Set([
  'configmaps',
  'secrets',
  'events',
  'serviceaccounts',
  'storage.k8s.io.storageclasses',
  'networking.k8s.io.networkpolicies',
  'rbac.authorization.k8s.io.roles',
  'rbac.authorization.k8s.io.rolebindings',
  'rbac.authorization.k8s.io.clusterroles',
  'rbac.authorization.k8s.io.clusterrolebindings',
]);
/** Shown though the cluster would only on being asked. */
const worthShowing: Readonly<Record<string, readonly string[]>> = {
  pods: ['Node', 'IP'],
  nodes: ['Internal-IP', 'Container-Runtime'],
  'apps.deployments': ['Images'],
  'apps.daemonsets': ['Images'],
  'apps.statefulsets': ['Images'],
  events: ['Count'],
};

export const hasState = ({ plural }: Kind): boolean => !stateless.has(plural);
/** Its names tell nothing. */
export const isNameless = ({ plural }: Kind): boolean => plural === 'events';

export function columnsOf(kind: Kind): readonly ListColumn[] {
  const name: ListColumn = { id: 'name', title: 'Name', sort: 'metadata.name', shown: !isNameless(kind) };
  const namespace: ListColumn = { id: 'namespace', title: 'Namespace', sort: 'metadata.namespace', shown: true };
  const state: ListColumn = { id: 'state', title: 'State', sort: 'metadata.state.name', shown: true };
  const own = kind.columns
    .filter(column => column.name !== 'Name' && !(hasState(kind) && saidByState.has(column.name)))
    .map(
      (column): ListColumn => ({
        id: column.name,
        title: column.name,
        sort: `metadata.fields[${column.index}]`,
        field: column.index,
        shown: column.priority === 0 || (worthShowing[kind.plural]?.includes(column.name) ?? false),
      }),
    );
  const age = own.filter(({ id }) => id === 'Age');
  const rest = own.filter(({ id }) => id !== 'Age');
  return [name, ...(hasState(kind) ? [state] : []), ...(kind.namespaced ? [namespace] : []), ...rest, ...age];
}

/** A column with a label of the objects. */
export function labelColumn(name: string): ListColumn {
  return { id: `label:${name}`, title: name, sort: `metadata.labels[${name}]`, label: name, shown: true };
}

/** Newest first where lists are about time, else by name. */
export function defaultSort({ plural }: Kind): string {
  return plural === 'events' ? '-metadata.fields[0]' : 'metadata.name';
}

const longest = 44;
const shortest = 6;
/** What a column keeps where there is little room: the first, which names the row, more than the others. */
const kept = { first: 22, other: 16 } as const;

/** A title with room for the mark of its order. */
export const headText = (title: string): string => `${title}   `;

/**
 * A grid's columns for what stands in them, the heading first: each gets room by its longest text, and what is left over by the same
 * measure. A heading is never cut.
 */
export function widthsOf(texts: readonly (readonly string[])[]): string {
  return texts
    .map((cells, index) => {
      const most = index === 0 ? kept.first : kept.other;
      const [head = 0, ...others] = cells.map(visibleLength);
      const widest = Math.max(shortest, head, ...others);
      const least = Math.max(Math.min(widest + 3, most), Math.min(head, longest) + 3);
      return `minmax(${least}ch, ${Math.min(widest, longest) + 3}fr)`;
    })
    .join(' ');
}

/** Chinese characters are as wide as two others. */
function visibleLength(text: string): number {
  let length = 0;
  for (const char of text) length += char.codePointAt(0)! > 0x2e7f ? 2 : 1;
  return length;
}
