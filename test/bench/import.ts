/** From the import manifest's apply on a real cluster, with the agent's image on its node, to Active. Needs root for the node. */
import { startSpine } from '../e2e/spine.ts';
import type { Row } from './row.ts';

export async function run(): Promise<Row[]> {
  if (process.getuid?.() !== 0) throw new Error('the import is measured on a real node, which only root can run');
  await using spine = await startSpine();
  return [{ name: 'import: apply to Active', ours: spine.importMs / 1000, unit: 's', higherIsBetter: false }];
}
