/** Answers in whatever pieces they come, and what is refused as no answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerParser } from './answer-parser.ts';

interface Told {
  status?: number;
  text?: string;
  headers?: string[];
  body: string;
  trailers?: readonly string[];
}

function expectOne(parser: AnswerParser, method = 'GET'): Told {
  const told: Told = { body: '' };
  parser.expect(method, {
    onHead(status, text, headers) {
      Object.assign(told, { status, text, headers });
    },
    onData(chunk) {
      told.body += chunk.toString('latin1');
    },
    onEnd(last, trailers) {
      told.body += last?.toString('latin1') ?? '';
      told.trailers = trailers;
    },
  });
  return told;
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

type Framing = 'counted' | 'chunked' | 'trailers' | 'rest';

function encode({ body, framing, interim }: { body: string; framing: Framing; interim: boolean }): string {
  const before = interim ? 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n' : '';
  const head = `${before}HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:2\r\n`;
  if (framing === 'rest') return `${head}\r\n${body}`;
  if (framing === 'counted') return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunks = body.match(/[\s\S]{1,7}/g) ?? [];
  const coded = chunks.map(chunk => `${chunk.length.toString(16)};x=y\r\n${chunk}\r\n`).join('');
  return `${head}Transfer-Encoding: chunked\r\n\r\n${coded}0\r\n${framing === 'trailers' ? 'X-T: 3\r\n' : ''}\r\n`;
}

test('answers are read whole in whatever pieces they come, one after the other', () => {
  const one = fc.record({
    body: fc.string({ maxLength: 60, unit: fc.constantFrom('a', '\r', '\n', '0', ':', '\xff') }),
    framing: fc.constantFrom<Framing>('counted', 'chunked', 'trailers', 'rest'),
    interim: fc.boolean(),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
  });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), answers => {
      const parser = new AnswerParser();
      for (const answer of answers) {
        const told = expectOne(parser);
        const all = bytes(encode(answer));
        for (let at = 0, i = 0; at < all.length; i++) {
          const size = answer.sizes[i % answer.sizes.length]!;
          parser.push(all.subarray(at, at + size));
          at += size;
        }
        if (answer.framing === 'rest') assert.ok(parser.finish());
        assert.equal(parser.keepAlive, answer.framing !== 'rest');
        assert.deepEqual(
          [told.status, told.text, told.headers!.slice(0, 4), told.body, told.trailers],
          [200, 'OK', ['X-A', '1', 'x-a', '2'], answer.body, answer.framing === 'trailers' ? ['X-T', '3'] : []],
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('answers that have no body end with their head, whatever that says', () => {
  for (const [method, head] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n'],
    ['GET', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'],
  ]) {
    const parser = new AnswerParser();
    const told = expectOne(parser, method);
    parser.push(bytes(head!));
    assert.deepEqual([told.trailers, parser.keepAlive, told.body], [[], true, '']);
  }
});

test('a connection is used again only where both sides may', () => {
  for (const [head, kept] of [
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n', true],
    ['HTTP/1.1 200 OK\r\nConnection: close\r\n', false],
    ['HTTP/1.1 200 OK\r\nConnection: x, Close\r\n', false],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n', false],
  ] as const) {
    const parser = new AnswerParser();
    expectOne(parser);
    parser.push(bytes(`${head}Content-Length: 0\r\n\r\n`));
    assert.equal(parser.keepAlive, kept, head);
  }
});

test('what leaves open where an answer ends, or is none, is refused', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  for (const text of [
    `${ok}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`,
    `${ok}Content-Length: 1, 1\r\n\r\na`,
    `${ok}Content-Length: -1\r\n\r\n`,
    `${ok}Content-Length: 0x1\r\n\r\na`,
    `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
    `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${ok}Transfer-Encoding: chunked\r\n\r\nx\r\n`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n-1\r\n`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n1\na\r\n`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\nabc`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n${'1'.repeat(13)}\r\n`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(2000)}`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nX T: 1\r\n\r\n`,
    `${ok}X-A: 1\nX-B: 2\r\n\r\n`,
    `${ok}X-A: 1\rX-B: 2\r\n\r\n`,
    `${ok}X-A: 1\r\n folded\r\n\r\n`,
    `${ok}X-A : 1\r\n\r\n`,
    `${ok}X-A: \0\r\n\r\n`,
    `${ok}X-A: ${'a'.repeat(70_000)}`,
    `${ok}Content-Length: 1\r\n\r\nab`,
    `${ok}Content-Length: 0\r\n\r\n${ok}Content-Length: 0\r\n\r\n`,
    `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${ok}\r\n`,
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 099 No\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/2 200 OK\r\n\r\n',
    'hello\r\n\r\n',
  ]) {
    const parser = new AnswerParser();
    const told = expectOne(parser);
    assert.throws(() => parser.push(bytes(text)), JSON.stringify(text.slice(0, 90)));
    assert.equal(told.trailers, undefined, 'an end was told');
  }
  assert.throws(() => new AnswerParser().push(bytes(ok)), /nobody asked/);
});

test('an answer that breaks off has not ended', () => {
  for (const text of ['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na']) {
    const parser = new AnswerParser();
    expectOne(parser);
    if (text) parser.push(bytes(text));
    assert.equal(parser.started, text !== '');
    assert.equal(parser.finish(), false);
  }
});
