/** Pings and death by a clock of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeat, type HeartbeatOptions } from './heartbeat.ts';

function start(options: Partial<HeartbeatOptions> = {}) {
  let nowMs = 0;
  const heartbeat = new Heartbeat({ pingEveryMs: 2000, silentAfterMs: 5000, now: () => nowMs, ...options });
  /** Ticks until the given time and says what happened when. */
  const runTo = (ms: number) => {
    const events: string[] = [];
    while (nowMs < ms) {
      nowMs += heartbeat.everyMs;
      const todo = heartbeat.tick();
      if (todo) events.push(`${todo}@${nowMs}`);
      if (todo === 'dead') break;
    }
    return events;
  };
  return { heartbeat, runTo, jump: (ms: number) => (nowMs += ms) };
}

test('pings every two seconds and calls five seconds of silence death', () => {
  const { runTo } = start();
  assert.deepEqual(runTo(10_000), ['ping@250', 'ping@2250', 'ping@4250', 'dead@5000']);
});

test('anything heard counts, not only pongs', () => {
  const { heartbeat, runTo } = start();
  runTo(4000);
  heartbeat.heard();
  assert.ok(!runTo(8750).includes('dead@8750'));
  assert.deepEqual(runTo(9500).at(-1), 'dead@9000');
});

test('a stop of our own process is not held against the far end', () => {
  const { heartbeat, runTo, jump } = start();
  runTo(1000);
  jump(60_000);
  assert.notEqual(heartbeat.tick(), 'dead');
  assert.equal(runTo(70_000).at(-1)?.startsWith('dead@'), true);
});

test('a pong tells the round trip of the ping before it', () => {
  const { heartbeat, jump } = start();
  jump(250);
  assert.equal(heartbeat.tick(), 'ping');
  heartbeat.pinged();
  jump(40);
  heartbeat.ponged();
  assert.equal(heartbeat.rttMs, 40);
});

test('who speaks on and never answers a ping is said so once for each ping', () => {
  const { heartbeat, jump } = start();
  assert.equal(heartbeat.unanswered(), false);
  heartbeat.pinged();
  jump(4000);
  heartbeat.heard();
  assert.equal(heartbeat.unanswered(), false);
  jump(1000);
  assert.deepEqual([heartbeat.unanswered(), heartbeat.unanswered()], [true, false]);
});

test('a client of our server pings only when it has heard nothing for a while', () => {
  const { heartbeat, runTo } = start({ onlyWhenQuiet: true });
  assert.deepEqual(runTo(1750), []);
  heartbeat.heard();
  assert.deepEqual(runTo(4000), ['ping@3750']);
});
