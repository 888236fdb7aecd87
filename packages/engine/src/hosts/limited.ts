/** Places for so many at a time; who finds none waits in line. */

/** Gives a function that waits for a place; disposing of what it gives frees the place. */
export function limited(most: number): (signal?: AbortSignal) => Promise<AsyncDisposable> {
  let taken = 0;
  const waiting = new Set<() => void>();
  return async signal => {
    signal?.throwIfAborted();
    if (taken < most) taken++;
    else await inLine(waiting, signal);
    let given = false;
    return {
      async [Symbol.asyncDispose]() {
        if (given) return;
        given = true;
        const [next] = waiting;
        if (next) next();
        else taken--;
      },
    };
  };
}

function inLine(waiting: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = () => {
      waiting.delete(enter);
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      leave();
      reject(signal!.reason);
    };
    // The place passes from hand to hand: whoever leaves it frees none.
    const enter = () => {
      leave();
      resolve();
    };
    waiting.add(enter);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
