/** Flags and environment of the agent: what is wrong is named, with what would be right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAgentConfig } from './config.ts';

test('flags, environment and pod defaults', () => {
  const config = parseAgentConfig(['--server', 'https://a:8443/x', '--allow', '10.0.0.1:80', '--allow', '[::1]:90'], {
    DROVER_TOKEN: 'secret-token',
    CATTLE_CA_CHECKSUM: 'A'.repeat(64),
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
  });
  assert.equal(config?.server, 'https://a:8443');
  assert.equal(config?.token?.reveal(), 'secret-token');
  assert.equal(config?.caChecksum, 'a'.repeat(64));
  assert.deepEqual(config?.health, { host: '0.0.0.0', port: 8080 });
  assert.deepEqual(config?.allow, ['10.0.0.1:80', '[::1]:90']);
  assert.equal(parseAgentConfig(['--help'], {}), undefined);
  assert.equal(parseAgentConfig([], {})?.health, undefined);
});

test('what is wrong is named', () => {
  const table: [string[], RegExp][] = [
    [['--server', 'http://a', '--token', 'x'], /--server: "http:\/\/a" must be an https URL/],
    [['--server', 'https://u:p@a', '--token', 'x'], /--server/],
    [['--token', 'x'], /--server: the server and its token/],
    [['--ca-checksum', 'abc'], /--ca-checksum: must be a SHA-256/],
    [['--health', 'x'], /--health: "x" must be HOST:PORT/],
    [['--allow', 'http://a:1/'], /--allow/],
    [['--sockets', '0'], /--sockets/],
    [['--nope'], /flags: Unknown option '--nope'/],
  ];
  for (const [args, message] of table) assert.throws(() => parseAgentConfig(args, {}), message);
});
