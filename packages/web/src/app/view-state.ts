/** View state: what a page shows of what it could, in the query of its address, so that a copied link opens the same view. */
import { useSearchParams } from 'wouter';

/**
 * One value of the query, and how to set it; empty takes it out. What is typed replaces the entry of the history. It begins with the query
 * that stands there now, not with the one that was drawn: so several values can be set at once.
 */
export function useViewState(name: string): [string, (value: string) => void] {
  const [params, setParams] = useSearchParams();
  const set = (value: string): void =>
    setParams(
      () => {
        const next = new URLSearchParams(location.search);
        if (value === '') next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return [params.get(name) ?? '', set];
}
