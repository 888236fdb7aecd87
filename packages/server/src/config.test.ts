/** The flags of `up`: what is read, and that a wrong one is named with what would be right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './config.ts';

const parse = (...args: string[]) => parseConfig(args, { HOME: '/home/a' })!;

test('defaults serve on localhost with sqlite and choose a cluster by themselves', () => {
  const { listen, store, cluster, drainMs } = parse();
  assert.deepEqual(
    { listen, store, cluster, drainMs },
    {
      listen: { host: 'localhost', port: 8443 },
      store: { type: 'sqlite' },
      cluster: { type: 'auto' },
      drainMs: 10_000,
    },
  );
});

test('a flag wins over its variable', () => {
  const config = parseConfig(['--data-dir', '/a'], { DROVER_DATA_DIR: '/b', DROVER_CLUSTER: 'none' })!;
  assert.equal(config.dataDir, '/a');
  assert.deepEqual(config.cluster, { type: 'none' });
});

test('listen takes names, addresses and bracketed IPv6', () => {
  assert.deepEqual(parse('--listen', '[::1]:9000').listen, { host: '::1', port: 9000 });
  assert.deepEqual(parse('--listen', ':9000').listen, { host: '0.0.0.0', port: 9000 });
});

test('etcd takes several endpoints and credentials, which do not print', () => {
  const { store } = parse('--store', 'etcds://root:s%40crt@a:2379,b:2379');
  assert.equal(store.type, 'etcd');
  if (store.type !== 'etcd') return;
  assert.deepEqual(store.endpoints, ['https://a:2379', 'https://b:2379']);
  assert.equal(store.password?.reveal(), 's@crt');
  assert.ok(!JSON.stringify(store).includes('s@crt'));
});

test('a cluster of its own is one with a node or one without', () => {
  assert.deepEqual(parse('--cluster', 'local').cluster, { type: 'local' });
  assert.deepEqual(parse('--cluster', 'control-plane').cluster, { type: 'control-plane' });
});

test('help gives nothing to run', () => {
  assert.equal(parseConfig(['--help'], {}), undefined);
});

const wrong: [string[], RegExp][] = [
  [['--listen', 'nowhere'], /--listen: "nowhere" must be HOST:PORT/],
  [['--listen', 'a:70000'], /--listen/],
  [['--peer-url', 'https://a:8444'], /--peer-url: has a use only with --store etcd/],
  [['--store', 'etcd://e:2379', '--peer-url', 'https://a'], /--peer-url: "https:\/\/a" must be https:\/\/HOST:PORT/],
  [['--store', 'etcd://e:2379', '--peer-url', 'http://a:8444'], /--peer-url/],
  [['--server-url', 'http://a'], /--server-url: .* must be an https URL/],
  [['--store', 'mysql://a'], /--store: must be sqlite, etcd/],
  [['--store', 'etcd://a'], /endpoint "a" must be HOST:PORT/],
  [['--cluster', 'context:'], /--cluster/],
  [['--tls-cert', 'a.pem'], /--tls-key: a certificate and its key go together/],
  [['--drain-seconds', 'soon'], /--drain-seconds/],
  [['--bootstrap-password', ''], /--bootstrap-password: must not be empty/],
  [['--nonsense'], /flags: .*--nonsense.*; see drover up --help/],
  [['extra'], /flags: .*extra/],
];

for (const [args, message] of wrong) {
  test(`${args.join(' ')} is refused by name`, () =>
    assert.throws(() => parse(...args), { reason: 'Invalid', message }));
}
