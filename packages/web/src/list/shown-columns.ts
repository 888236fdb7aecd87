/** Which columns of a kind somebody wants to see, kept for this browser. */
import { useState } from 'react';
import type { Kind } from '../net/kinds.ts';
import { columnsOf, type ListColumn } from './columns.ts';

const nameOf = ({ plural }: Kind): string => `drover.columns.${plural}`;

function load(kind: Kind): readonly string[] | undefined {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(nameOf(kind)) ?? 'null');
    return Array.isArray(found) ? found.map(String) : undefined;
  } catch {
    return undefined;
  }
}

export interface ShownColumns {
  readonly all: readonly ListColumn[];
  readonly shown: readonly ListColumn[];
  readonly toggle: (id: string) => void;
}

export function useShownColumns(kind: Kind): ShownColumns {
  const all = columnsOf(kind);
  const [chosen, setChosen] = useState(() => load(kind));
  const isShown = (column: ListColumn) => (chosen ? chosen.includes(column.id) : column.shown);
  return {
    all,
    shown: all.filter(isShown),
    toggle(id) {
      const ids = all.filter(column => isShown(column) !== (column.id === id)).map(column => column.id);
      setChosen(ids);
      localStorage.setItem(nameOf(kind), JSON.stringify(ids));
    },
  };
}
