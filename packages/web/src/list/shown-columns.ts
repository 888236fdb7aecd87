/** Which columns of a kind somebody wants to see, labels among them, kept for this browser. */
import { useState } from 'react';
import type { Kind } from '../net/kinds.ts';
import { columnsOf, type ListColumn, labelColumn } from './columns.ts';
import { keep, kept } from './kept.ts';

const nameOf = ({ plural }: Kind): string => `columns.${plural}`;
const labelPrefix = 'label:';

export interface ShownColumns {
  readonly all: readonly ListColumn[];
  readonly shown: readonly ListColumn[];
  readonly toggle: (id: string) => void;
  /** Adds a column with a label. */
  readonly addLabel: (name: string) => void;
  /** The ids of those that are shown, for a saved view. */
  readonly ids: readonly string[];
  readonly set: (ids: readonly string[]) => void;
}

export function useShownColumns(kind: Kind): ShownColumns {
  const [chosen, setChosen] = useState(() => kept<readonly string[]>(nameOf(kind), Array.isArray));
  const own = columnsOf(kind);
  const labels = (chosen ?? [])
    .filter(id => id.startsWith(labelPrefix))
    .map(id => labelColumn(id.slice(labelPrefix.length)));
  const all = [...own, ...labels];
  const shown = all.filter(column => (chosen ? chosen.includes(column.id) : column.shown));
  const set = (ids: readonly string[]): void => {
    setChosen(ids);
    keep(nameOf(kind), ids);
  };
  const ids = shown.map(({ id }) => id);
  return {
    all,
    shown,
    ids,
    set,
    toggle: id => set(ids.includes(id) ? ids.filter(one => one !== id) : [...ids, id]),
    addLabel: name => set([...ids, `${labelPrefix}${name}`].filter((id, at, every) => every.indexOf(id) === at)),
  };
}
