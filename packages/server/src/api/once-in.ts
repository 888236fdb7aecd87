/**
 * Worked out once for all that one view shows: what hangs on nothing but the caller's grants is the same for each of a thousand rows. A
 * subscription's view lives long; there it holds until grants change.
 */
import type { ApiView } from './behaviour.ts';

const known = new WeakMap<ApiView, { readonly changes: number; readonly answers: Map<string, unknown> }>();

export function onceIn<T>(view: ApiView, key: string, work: () => T): T {
  const { changes } = view.deps.auth.access.grants;
  let of = known.get(view);
  if (of?.changes !== changes) known.set(view, (of = { changes, answers: new Map() }));
  const { answers } = of!;
  if (!answers.has(key)) {
    if (answers.size >= most) answers.clear();
    answers.set(key, work());
  }
  return answers.get(key) as T;
}

const most = 20_000;
