/**
 * Frames, headers and addresses, broken in any way, some ten thousand times; a million with DROVER_FUZZ_RUNS=1000000. A failure
 * is made again with the seed that is printed.
 */
import { test } from 'node:test';
import { addressNoise, headerNoise } from '../../packages/server/src/http/noise-suite.ts';
import { sessionNoise } from '../../packages/tunnel/src/noise-suite.ts';
import { Noise, runs, seed } from '../noise.ts';

test('frames: a session reads or ends, and never takes the process with it', t => {
  t.diagnostic(`seed ${seed}, ${runs} frames`);
  sessionNoise(new Noise(), runs);
});

test('addresses: none means another cluster, or another path, further on', t => {
  t.diagnostic(`seed ${seed}, ${runs} addresses`);
  addressNoise(new Noise(), runs);
});

test('headers: whatever a client sends, out goes our identity alone', t => {
  t.diagnostic(`seed ${seed}, ${runs} requests`);
  headerNoise(new Noise(), runs);
});
