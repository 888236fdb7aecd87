/** Who is told of which change, and that whoever has gone is told of none and takes no room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Listeners } from './listeners.ts';

test('each is told of all or of its own thing, until its signal aborts', () => {
  const listeners = new Listeners<(thing: string) => void>();
  const told: string[] = [];
  const stop = new AbortController();
  const go = new AbortController();
  listeners.add(thing => told.push(`all: ${thing}`), go.signal);
  listeners.add(thing => told.push(`a: ${thing}`), stop.signal, 'a');
  listeners.add(thing => told.push(`b: ${thing}`), go.signal, 'b');
  listeners.add(thing => told.push(`late: ${thing}`), AbortSignal.abort(), 'a');
  const tell = (...things: string[]) => listeners.tell(things, listener => listener(things.join()));
  tell('a');
  tell('a', 'b');
  tell('c');
  stop.abort();
  tell('a');
  assert.deepEqual(told, ['all: a', 'a: a', 'all: a,b', 'a: a,b', 'b: a,b', 'all: c', 'all: a']);
  assert.equal(listeners.size, 1, 'what nobody follows takes no room');
});
