/** The same as `engine`, with three hosts that are all of a cluster. */
import { measure } from './engine.ts';
import type { Row } from './row.ts';

export { missing } from './engine.ts';

export async function run({ quick = false }: { readonly quick?: boolean } = {}): Promise<Row[]> {
  return quick ? [] : await measure(3);
}
