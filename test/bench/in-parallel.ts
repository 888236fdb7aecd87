/** Work that is done so many times, some at once. */
export async function inParallel(count: number, work: (index: number) => Promise<void>, atOnce = 16): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}
