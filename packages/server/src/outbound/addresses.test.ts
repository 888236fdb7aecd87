/** Addresses: what is the Internet's, and what is near the server in any of its forms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNetworks } from '../http/client-address.ts';
import { isAddressAllowed, isInternet } from './addresses.ts';

test('what is near the server is not of the Internet, however it is written', () => {
  const near = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.0.9',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1',
    '100::1',
    '2001:db8::1',
    '2001::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ];
  assert.deepEqual(near.filter(isInternet), []);
});

test('what is of the Internet is', () => {
  const far = [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '172.32.0.1',
    '192.169.0.1',
    '223.255.255.255',
    '2606:4700::1111',
  ];
  assert.deepEqual(far.filter(isInternet), far);
});

test('a network that an admin opened is open, and no other', () => {
  const opened = parseNetworks(['10.0.0.0/8', 'fd00::/8'], 'setting');
  const all = ['10.9.9.9', 'fd12::1', '192.168.0.1', 'fe80::1', '8.8.8.8', 'nonsense'];
  assert.deepEqual(
    all.filter(one => isAddressAllowed(one, opened)),
    ['10.9.9.9', 'fd12::1', '8.8.8.8'],
  );
});
