/** Views of a kind's list that somebody gave a name: what is filtered, sorted and shown; kept for this browser. */
import { useState } from 'react';
import type { Kind } from '../net/kinds.ts';
import { keep, kept } from './kept.ts';

export interface SavedView {
  readonly name: string;
  /** The query of the address. */
  readonly query: string;
  readonly columns: readonly string[];
}

const most = 30;

const isViews = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(one => typeof one?.name === 'string' && typeof one?.query === 'string' && Array.isArray(one?.columns));

export interface SavedViews {
  readonly views: readonly SavedView[];
  /** One of the same name gives way. */
  readonly save: (view: SavedView) => void;
  readonly forget: (name: string) => void;
}

export function useSavedViews({ plural }: Kind): SavedViews {
  const name = `views.${plural}`;
  const [views, setViews] = useState(() => kept<readonly SavedView[]>(name, isViews) ?? []);
  const set = (next: readonly SavedView[]): void => {
    setViews(next);
    keep(name, next);
  };
  return {
    views,
    save: view => set([...views.filter(one => one.name !== view.name), view].slice(-most)),
    forget: gone => set(views.filter(one => one.name !== gone)),
  };
}
