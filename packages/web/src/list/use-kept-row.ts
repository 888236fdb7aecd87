/**
 * Keeps which row of a list is active where the list's view is kept, and makes it active again: after going back, and for whom a link was
 * given. It is looked for among the first rows only, since where it stands now only the server knows.
 */
import { useEffect, useRef } from 'react';
import type { Rows } from './rows.ts';

/** Browsers take so many changes of an address a second, and keys are faster. */
const pauseMs = 300;

export function useKeptRow(
  kept: readonly [string, (id: string) => void] | undefined,
  rows: Pick<Rows, 'first' | 'at'>,
  active: number,
  toActive: (index: number) => void,
): void {
  const wanted = useRef(kept?.[0] ?? '');
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when there are rows
  useEffect(() => {
    if (wanted.current === '' || rows.first.length === 0) return;
    const index = rows.first.findIndex(({ id }) => id === wanted.current);
    wanted.current = '';
    if (index >= 0) toActive(index);
  }, [rows.first]);
  const id = rows.at(active)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever keeps it need not hold its function still
  useEffect(() => {
    if (!kept || id === undefined || id === kept[0]) return undefined;
    const timer = setTimeout(() => kept[1](id), pauseMs);
    return () => clearTimeout(timer);
  }, [id]);
}
