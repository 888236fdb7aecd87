/** Signatures against those that are published with their inputs: AWS's own examples and the one of RFC 7616. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@drover/base';
import { awsHeaders, awsPlace } from './aws-signature.ts';
import { digestAnswer } from './digest.ts';

const key = { accessKey: 'AKIDEXAMPLE', secretKey: new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY') };
const at = new Date('2015-08-30T12:36:00Z');
const place = { service: 'service', region: 'us-east-1' };
const sign = (more: { path?: string; search?: string; method?: string }) =>
  /Signature=([0-9a-f]+)/.exec(
    awsHeaders(
      {
        method: 'GET',
        host: 'example.amazonaws.com',
        path: '/',
        search: '',
        headers: {},
        body: Buffer.alloc(0),
        ...more,
      },
      key,
      place,
      at,
    )['authorization']!,
  )![1];

test('requests are signed as in AWS’s test suite', () => {
  assert.equal(sign({}), '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31');
  assert.equal(
    sign({ search: '?Param2=value2&Param1=value1' }),
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  );
  assert.equal(sign({ method: 'POST' }), '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b');
});

test('service and region are read from the host', () => {
  const hosts = [
    'ec2.eu-west-1.amazonaws.com',
    'iam.amazonaws.com',
    'iam.us-gov.amazonaws.com',
    'eks.cn-north-1.amazonaws.com.cn',
    'iam.amazonaws.com.cn',
    'a.s3.us-east-2.amazonaws.com:443',
  ];
  assert.deepEqual(
    hosts.map(host => Object.values(awsPlace(host)).join('/')),
    ['ec2/eu-west-1', 'iam/us-east-1', 'iam/us-gov-west-1', 'eks/cn-north-1', 'iam/cn-north-1', 's3/us-east-2'],
  );
});

test('a challenge is answered as in RFC 7616, by either algorithm', () => {
  const challenge = (algorithm: string) =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
  const request = {
    method: 'GET',
    uri: '/dir/index.html',
    username: 'Mufasa',
    password: new Secret('Circle of Life'),
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };
  const response = (algorithm: string) =>
    /response="([0-9a-f]+)"/.exec(digestAnswer(challenge(algorithm), request))![1];
  assert.equal(response('MD5'), '8ca523f5e9506fed4657c9700eebdbec');
  assert.equal(response('SHA-256'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
  assert.throws(() => digestAnswer('Basic realm="x"', request), /Digest/);
  assert.throws(() => digestAnswer('Digest realm="x", nonce="n", qop="auth-int"', request), /not known/);
  assert.throws(() => digestAnswer('Digest realm="x", nonce="n", algorithm=SHA-512', request), /not known/);
});
