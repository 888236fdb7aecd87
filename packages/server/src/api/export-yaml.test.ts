/** exportYaml: what it gives is what was set, and makes the same again. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { openTestApi, type TestApi } from './fixture.ts';

let api: TestApi;
before(async () => {
  api = await openTestApi();
});
after(() => api[Symbol.asyncDispose]());

test('a cluster and a project are documents of what was set of them, from which they can be made again', async () => {
  const body = { name: 'one', description: 'a # sign: and more', labels: { team: 'shop' } };
  const cluster = await api.want(201, 'POST', '/v3/clusters', { body });
  const { pathname, search } = new URL(cluster.actions.exportYaml);
  const { yamlOutput } = await api.want(200, 'POST', pathname + search);
  const exported = parse(yamlOutput);
  assert.deepEqual(exported, {
    version: 'v3',
    clusters: { one: { description: body.description, labels: body.labels, fleetWorkspaceName: 'fleet-default' } },
  });
  const again = await api.want(201, 'POST', '/v3/clusters', { body: { name: 'two', ...exported.clusters.one } });
  assert.deepEqual([again.description, again.labels.team], [body.description, 'shop']);

  const quota = {
    resourceQuota: { limit: { pods: '4' } },
    namespaceDefaultResourceQuota: { limit: { pods: '1' } },
  };
  const project = { name: 'shop', clusterId: cluster.id, ...quota };
  const { id } = await api.want(201, 'POST', '/v3/projects', { body: project });
  const output = await api.want(200, 'POST', `/v3/projects/${id}?action=exportYaml`);
  const { name, ...rest } = project;
  assert.deepEqual(parse(output.yamlOutput).projects[name], rest);
});
