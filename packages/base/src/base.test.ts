/** The small pieces: errors and their Status, waiting, backoff, names, selectors, quantities, conditions, secrets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  alreadyExists,
  backoffMs,
  conflict,
  formatBytes,
  formatCpu,
  generateName,
  ignoreNotFound,
  invalid,
  isDnsLabel,
  isDnsSubdomain,
  isTerminal,
  keyOf,
  messageOf,
  notFound,
  parseQuantity,
  parseSelector,
  parseStatus,
  randomName,
  Secret,
  setCondition,
  sleep,
  terminal,
  toStatus,
  unavailable,
  until,
  withSignal,
} from './index.ts';

test('an error becomes a Status and comes back as the same error', () => {
  for (const error of [
    notFound('cluster', 'c-1'),
    conflict('node', 'a'),
    alreadyExists('user', 'b'),
    unavailable('away', { retryAfterSeconds: 5 }),
  ]) {
    const back = parseStatus(error.status, JSON.stringify(toStatus(error)));
    assert.deepEqual(
      [back.status, back.reason, back.message, back.details.retryAfterSeconds],
      [error.status, error.reason, error.message, error.details.retryAfterSeconds],
    );
  }
});

test('an invalid value names its field in the causes', () => {
  assert.deepEqual(toStatus(invalid('spec.name', 'is required')).details, {
    causes: [{ reason: 'FieldValueInvalid', message: 'spec.name: is required', field: 'spec.name' }],
  });
});

test('an error that is a bug tells nothing but its id', () => {
  const status = toStatus(new Error('secret detail'), 'id-1');
  assert.deepEqual([status.code, status.reason, status.message], [500, 'InternalError', 'internal error (id id-1)']);
});

test('an answer that is no Status gives what it says', () => {
  assert.equal(parseStatus(502, '<html>Bad gateway</html>').reason, 'InternalError');
  assert.equal(parseStatus(503, 'later').reason, 'ServiceUnavailable');
});

test('a message holds its causes once each', () => {
  assert.equal(messageOf(new Error('a', { cause: new Error('b', { cause: 'c' }) })), 'a: b: c');
  assert.equal(messageOf(new Error('a: b', { cause: new Error('b') })), 'a: b');
});

test('not found is ignored and nothing else is', async () => {
  assert.equal(await ignoreNotFound(Promise.reject(notFound('a', 'b'))), undefined);
  await assert.rejects(ignoreNotFound(Promise.reject(conflict('a', 'b'))));
  assert.ok(isTerminal(terminal(new Error('x'))) && !isTerminal(new Error('x')));
});

test('waiting ends with the signal, and its reason', async () => {
  const stop = new AbortController();
  const waits = [sleep(60_000, stop.signal), withSignal(new Promise(() => {}), stop.signal)];
  stop.abort(new Error('enough'));
  for (const wait of waits) await assert.rejects(wait, { message: 'enough' });
});

test('until names what it waited for, and why it was not', async () => {
  const never = until('the moon', () => Promise.reject(new Error('clouds')), { timeoutMs: 20, everyMs: 5 });
  await assert.rejects(never, (error: Error) => /the moon/.test(error.message) && /clouds/.test(messageOf(error)));
});

test('until waits for no look for ever, and looks again', async () => {
  let looks = 0;
  const second = () => (++looks === 1 ? new Promise<boolean>(() => {}) : Promise.resolve(true));
  assert.equal(await until('an answer', second, { timeoutMs: 5000, everyMs: 5, lookMs: 20 }), true);
  const never = until('the moon', () => new Promise<boolean>(() => {}), { timeoutMs: 30, everyMs: 5, lookMs: 20 });
  await assert.rejects(never, (error: Error) => /the moon/.test(error.message) && /20 ms/.test(String(error.cause)));
});

test('backoff doubles within its bounds, whatever the chance', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, chance) => {
      const ms = backoffMs(attempt, { minMs: 10, maxMs: 1000, random: () => chance });
      const ceiling = Math.min(1000, 10 * 2 ** Math.min(attempt, 40));
      assert.ok(ms >= ceiling / 2 && ms <= ceiling);
    }),
  );
});

test('generated names are Kubernetes names, of its suffix alphabet', () => {
  for (let i = 0; i < 200; i++) assert.match(generateName('c-'), /^c-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  assert.equal(randomName(54).length, 54);
  assert.ok(
    isDnsLabel('a-1') && !isDnsLabel('A') && !isDnsLabel('-a') && !isDnsLabel('a'.repeat(64)) && !isDnsLabel(''),
  );
  assert.ok(isDnsSubdomain('a.b-c.d') && !isDnsSubdomain('a..b') && !isDnsSubdomain(`${'a'.repeat(63)}.`.repeat(5)));
});

test('selectors take what Kubernetes takes', () => {
  const labels = { app: 'web', tier: 'front', 'x.io/y': '' };
  const cases: [string, boolean][] = [
    ['', true],
    ['app=web,tier==front', true],
    ['app!=web', false],
    ['none!=web', true],
    ['app in (api, web)', true],
    ['app notin (api,web)', false],
    ['x.io/y', true],
    ['!x.io/y', false],
    ['!none', true],
    ['x.io/y=', true],
  ];
  for (const [text, wanted] of cases) assert.equal(parseSelector(text)(labels), wanted, text);
  for (const text of ['app==', 'a=b=c', 'app in web', '(', 'a b']) {
    if (text === 'app==') continue;
    assert.throws(() => parseSelector(text), { reason: 'BadRequest' }, text);
  }
});

test('quantities are read and written as Kubernetes does', () => {
  const read: [string, number][] = [
    ['250m', 0.25],
    ['1', 1],
    ['1Gi', 2 ** 30],
    ['2e3', 2000],
    ['1.5G', 1.5e9],
    ['100n', 1e-7],
  ];
  for (const [text, number] of read) assert.ok(Math.abs(parseQuantity(text) - number) <= number * 1e-12, text);
  assert.deepEqual(
    [formatCpu(0.25), formatCpu(2), formatBytes(2 ** 30), formatBytes(1536)],
    ['250m', '2', '1Gi', '1536'],
  );
  assert.throws(() => parseQuantity('1 Gi'), { message: /quantity "1 Gi"/ });
});

test('a condition keeps its transition time until its status changes', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
  const first = setCondition(undefined, { type: 'Ready', status: 'False', reason: 'A' }, at(1));
  const second = setCondition(first, { type: 'Ready', status: 'False', reason: 'B' }, at(2));
  const third = setCondition(second, { type: 'Ready', status: 'True' }, at(3));
  assert.deepEqual(
    [first, second, third].map(conditions => [conditions[0]!.lastTransitionTime, conditions[0]!.lastUpdateTime]),
    [
      ['2026-01-01T00:00:01Z', '2026-01-01T00:00:01Z'],
      ['2026-01-01T00:00:01Z', '2026-01-01T00:00:02Z'],
      ['2026-01-01T00:00:03Z', '2026-01-01T00:00:03Z'],
    ],
  );
  assert.equal(setCondition(third, { type: 'Ready', status: 'True' }, at(4)), third);
});

test('a secret shows itself to nobody who does not ask', () => {
  const secret = new Secret('hunter2');
  assert.ok(
    ![String(secret), JSON.stringify({ secret }), inspect(secret), `${secret}`].some(text => text.includes('hunter2')),
  );
  assert.equal(secret.reveal(), 'hunter2');
});

test('keys are namespace and name', () => {
  assert.deepEqual([keyOf({ name: 'a' }), keyOf({ name: 'a', namespace: 'b' })], ['a', 'b/a']);
});
