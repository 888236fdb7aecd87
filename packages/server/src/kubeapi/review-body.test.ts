/** Reviews as kubectl sends them, in Kubernetes' protobuf form, and what is none of either form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseReview } from './review-body.ts';

const field = (number: number, body: Buffer) => Buffer.concat([Buffer.from([number * 8 + 2, body.length]), body]);
const text = (number: number, value: string) => field(number, Buffer.from(value));

test('a review in protobuf says the same as in JSON', () => {
  const attributes = [text(1, 'default'), text(2, 'get'), text(3, 'management.cattle.io'), text(5, 'clusters')];
  const spec = field(2, field(1, Buffer.concat(attributes)));
  const unknown = Buffer.concat([field(1, text(1, 'authorization.k8s.io/v1')), field(2, spec)]);
  const review = parseReview(Buffer.concat([Buffer.from('k8s\0'), unknown])) as { spec: unknown };
  assert.deepEqual(review.spec, {
    resourceAttributes: { namespace: 'default', verb: 'get', group: 'management.cattle.io', resource: 'clusters' },
  });
  assert.deepEqual(parseReview(Buffer.from(JSON.stringify(review))), review);
});

test('whatever bytes come, they are read or refused as a bad request', () => {
  const magic = Buffer.from('k8s\0');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isProtobuf) => {
      try {
        parseReview(isProtobuf ? Buffer.concat([magic, bytes]) : Buffer.from(bytes));
      } catch (error) {
        assert.equal((error as { status?: number }).status, 400);
      }
    }),
    { numRuns: 5000 },
  );
});
