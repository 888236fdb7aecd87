/** A machine that can't have a node is told so in one line, and nothing is tried on it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '@drover/base';
import { prepareNode } from './local-node.ts';

test('without the programs that it takes there is no node, and one line says why', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'drover-no-node-'));
  t.after(() => rm(dir, { recursive: true }));
  const { PATH } = process.env;
  t.after(() => (process.env['PATH'] = PATH));
  process.env['PATH'] = dir;
  const said: string[] = [];
  const { signal } = new AbortController();
  const place = await prepareNode({ dir, bundleDirs: [], say: line => said.push(line), log: silentLog, signal });
  assert.equal(place, undefined);
  assert.equal(said.length, 1);
  const why = 'needs (Linux|root|ip, iptables, mount, nsenter, unshare, which this machine does not have)';
  assert.match(said[0]!, new RegExp(`^local: control plane only, because a node ${why}$`));
  assert.deepEqual(await readdir(dir), []);
});
