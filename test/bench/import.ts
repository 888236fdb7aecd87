/**
 * From the import manifest's apply on a real cluster, with the agent's image on its node, to Active.
 */
import { testClusterSkipReason } from '../e2e/node/index.ts';
import { startSpine } from '../e2e/spine.ts';
import { lower, type Row } from './row.ts';

export const missing = testClusterSkipReason;

export async function run(): Promise<Row[]> {
  await using spine = await startSpine();
  return [lower('import: apply to Active', spine.importMs / 1000, 's')];
}
