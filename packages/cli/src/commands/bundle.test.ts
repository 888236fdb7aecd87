/** What `bundle build` refuses before it builds anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BuildFlags, build } from './bundle.ts';

for (const [what, flags, message] of [
  ['a file that is no tar', { output: 'bundle.zip' }, /--output: is the file .* ends in \.tar: bundle\.zip does not/],
  ['a format', { output: 'json' }, /--output: /],
  ['a Kubernetes that can’t be had', { kubernetes: '1.20' }, /--kubernetes: 1\.20 is none of 1\.35 \(v1\.35\.4\)/],
  ['what is no version', { kubernetes: 'newest' }, /--kubernetes: newest is no version such as 1\.37/],
  ['checksums of what is not downloaded', { checksums: 'sums', from: 'build' }, /--checksums: is for --from download/],
] as const satisfies readonly (readonly [string, BuildFlags, RegExp])[])
  test(`${what} is refused`, () => assert.rejects(build(flags), message));
