/** Errors as clients read them: coded, with the field's name, and nothing of the inside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflict, forbidden, invalid, methodNotAllowed, notFound, unauthorized, unavailable } from '@drover/base';
import fc from 'fast-check';
import { toNormanError } from './errors.ts';

const codeOf = (error: unknown) => {
  const { status, code } = toNormanError(error, 'id-1');
  return [status, code];
};

test('each reason has its status and its code', () => {
  assert.deepEqual(codeOf(notFound('user', 'u-x')), [404, 'NotFound']);
  assert.deepEqual(codeOf(forbidden('no')), [403, 'PermissionDenied']);
  assert.deepEqual(codeOf(methodNotAllowed('PATCH', 'users')), [405, 'MethodNotAllow']);
  assert.deepEqual(codeOf(conflict('user', 'u-x')), [409, 'Conflict']);
  assert.deepEqual(codeOf(unavailable('no agent')), [503, 'ClusterUnavailable']);
  assert.deepEqual(codeOf(invalid('name', 'is wrong')), [422, 'InvalidFormat']);
  assert.deepEqual(codeOf(invalid('name', 'is needed', 'MissingRequired')), [422, 'MissingRequired']);
});

test('a field is named once, apart from the message', () => {
  assert.deepEqual(toNormanError(invalid('name', 'is required', 'MissingRequired'), 'id'), {
    type: 'error',
    baseType: 'error',
    status: 422,
    code: 'MissingRequired',
    message: 'is required',
    fieldName: 'name',
  });
});

test('without credentials the status is a string, as clients have come to know it', () => {
  assert.deepEqual(toNormanError(unauthorized(), 'id'), {
    type: 'error',
    status: '401',
    message: 'Unauthorized 401: must authenticate',
  });
  assert.equal(toNormanError(unauthorized('authentication failed'), 'id').status, 401);
});

test('an error that nobody meant shows its id and nothing of itself', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12 }), secret => {
      const text = JSON.stringify(toNormanError(new Error(secret), 'id-7'));
      assert.equal(
        text,
        '{"type":"error","baseType":"error","status":500,"code":"ServerError","message":"internal error (id id-7)"}',
      );
    }),
  );
});
