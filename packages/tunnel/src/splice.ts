/**
 * Two byte streams joined into one, both ways, until either ends. Surprise: an error on one side is passed on as that
 * side's error, so that the far end of a tunnel learns why.
 */
import type { Duplex } from 'node:stream';

export function splice(left: Duplex, right: Duplex): void {
  join(left, right);
  join(right, left);
  left.pipe(right);
  right.pipe(left);
}

function join(from: Duplex, to: Duplex): void {
  from.on('error', error => to.destroy(error));
  // After a clean end pipe() has ended the other side, which may still have bytes to flush.
  from.on('close', () => {
    if (!from.readableEnded) to.destroy();
  });
}
