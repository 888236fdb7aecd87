/** Runs many jobs, a few at a time, handing each worker its number. */

/** Calls `run(item, worker)` for each item, `workers` at once; resolves when all ended, rejects with the first error. */
export async function pool<T>(
  items: readonly T[],
  workers: number,
  run: (item: T, worker: number) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const work = async (worker: number) => {
    for (const item of queue) await run(item, worker);
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, (_, worker) => work(worker)));
}
