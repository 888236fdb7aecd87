/** What an API server counts of deprecated APIs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeprecated } from './deprecated-apis.ts';

const metrics = `# HELP apiserver_requested_deprecated_apis [STABLE] Gauge of deprecated APIs that have been requested
# TYPE apiserver_requested_deprecated_apis gauge
apiserver_requested_deprecated_apis{group="",removed_release="",resource="componentstatuses",subresource="",version="v1"} 1
apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="podsecuritypolicies",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="apps",removed_release="1.9",resource="deployments",subresource="",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="apps",removed_release="1.9",resource="deployments",subresource="status",version="v1beta1"} 1
apiserver_requested_deprecated_apis{group="batch",removed_release="1.25",resource="cronjobs",subresource="",version="v1beta1"} 0
apiserver_request_total{code="200"} 12
`;

test('each API is named once, those that go first before the others', () => {
  assert.deepEqual(parseDeprecated(metrics), [
    { apiVersion: 'apps/v1beta1', resource: 'deployments', removedIn: '1.9' },
    { apiVersion: 'policy/v1beta1', resource: 'podsecuritypolicies', removedIn: '1.25' },
    { apiVersion: 'v1', resource: 'componentstatuses', removedIn: '' },
  ]);
  assert.deepEqual(parseDeprecated(''), []);
});
