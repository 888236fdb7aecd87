/**
 * Two byte streams joined into one, at the pace of the slower. Surprise: the end of one side is not the end of the other:
 * what it sent last is still on its way there, and is delivered whole before that side is closed.
 */
import type { Duplex } from 'node:stream';

/** How long a side that has been told of the end may take to close by itself. */
const lingerMs = 5_000;

/** Resolves when both sides are closed. A side that breaks takes the other with it, and tells it why. */
export async function splice(left: Duplex, right: Duplex): Promise<void> {
  const closed = [left, right].map(
    stream => new Promise<void>(resolve => (stream.closed ? resolve() : stream.once('close', resolve))),
  );
  follow(left, right);
  follow(right, left);
  left.pipe(right);
  right.pipe(left);
  await Promise.all(closed);
}

/** What happens to `to` when `from` is over. */
function follow(from: Duplex, to: Duplex): void {
  from.on('error', error => {
    // A write that found nobody any more breaks a stream that has been read to its end: its bytes are good all the same.
    if (!from.readableEnded) to.destroy(error);
  });
  const over = () => {
    if (to.closed) return;
    if (!from.readableEnded) {
      to.destroy();
      return;
    }
    // pipe() ends it behind the last byte. Until it closes, what it still sends is read, for a socket that is closed with
    // bytes unread resets, and a reset overtakes what its far end has yet to read.
    to.unpipe(from);
    to.resume();
    const timer = setTimeout(() => to.destroy(), lingerMs);
    to.once('close', () => clearTimeout(timer));
  };
  if (from.closed) over();
  else from.once('close', over);
}
