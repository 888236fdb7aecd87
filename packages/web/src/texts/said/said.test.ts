/** What the server says in Chinese: every sentence that pages can show has its translation, and the catalogue none that nobody says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldNames, said } from '../zh-said/index.ts';
import { fill, sayer } from './say.ts';
import { isSentence, spokenIn } from './spoken.ts';

const packages = new URL('../../../../', import.meta.url);

/** Where causes, steps and refusals come from that pages show; what is for command lines, logs and other servers alone is left out. */
const shown = [
  'agent/src/doctor.ts',
  'api/src/input.ts',
  'base/src/{abort,errors}.ts',
  'kube/src/{dial,drain,network-error,wait}.ts',
  'engine/src/config/{check,read,read-nodes,walk}.ts',
  'engine/src/hosts/{facts,ports,preflight,remote,shell,ssh,ssh-connect,ways}.ts',
  'engine/src/plan/*.ts',
  'engine/src/snapshots/{list,place,restore,save}.ts',
  'server/src/api/{auth-configs,body,cluster-engine,clusters,crud,etcd-backups,features,principals}.ts',
  'server/src/api/{project-quota,projects,role-bindings,roles,route,settings,state,tokens,users}.ts',
  'server/src/audit/audit-route.ts',
  'server/src/auth-providers/{access-mode,auth-configs,config-fields,elsewhere,external-users,identity}.ts',
  'server/src/auth-providers/{github-*,oidc-*,provider-fetch,read-form,redirect-routes,saml-*}.ts',
  'server/src/auth/{access,authenticate,bootstrap,codes-by-time,csrf,escalation,gate,local-provider,login*}.ts',
  'server/src/auth/{origin,passwords,second-factor*,security-keys,sessions,tokens,token-life,user-names,users}.ts',
  'server/src/cluster-shells/*.ts',
  'server/src/clusters/{agent-view,endpoint-input,inside-work,presence,upstreams}.ts',
  'server/src/controllers/{authorized-endpoint,cluster-*,quota-*}.ts',
  'server/src/directories/*.ts',
  'server/src/explain/{refusal,route,who-can}.ts',
  'server/src/history/route.ts',
  'server/src/http/errors.ts',
  'server/src/live/{import-yaml,namespace-quota,namespaces,node-actions,nodes}.ts',
  'server/src/provisioning/{backups,bundles,carry-out,cluster-*,decide,deploy-agents,engine-config,engine-run}.ts',
  'server/src/provisioning/{host-tunnels,leave-hosts,plan-hosts,remove-cluster,timeline,told-conditions}.ts',
  'server/src/resources/{codec,resources,unique}.ts',
  'server/src/{setting-list,settings}.ts',
  'server/src/steve/cache/state.ts',
  'server/src/terminals/*.ts',
  'server/src/usage/route.ts',
  'tunnel/src/session.ts',
];

/** Where a few come from that pages show as well. */
const also = ['kube/src/client.ts', 'server/src/connect/host-admission.ts', 'server/src/up/run-clusters.ts'];

/** What stands in those files that no page shows: names and descriptions of objects, scopes, headers, words of tools. */
const unseen = [
  /^(?:Kubeconfig token|kubectl shell|Drover \{1\}|openid profile email)$/,
  /^(?:Default|System) project created for the cluster$/,
  /^(?:connection: close|bytes \{1\}.*|attachment; .*|keep free in \{1\})$/,
  /^(?:regular file|regular empty file|symbolic link)$/,
  /^(?:whoever asked has gone|there is news|nobody waits any more)$/,
  /^(?:sync from client|connect not allowed|connection not found .*|it sen(?:ds|t) .*)$/,
];

const lines = spokenIn(packages, shown);
const filled = (template: string, values: readonly string[]): string =>
  template.replace(/\{(\d)\}/g, (_, number: string) => values[Number(number) - 1]!);

test('every sentence of the server that pages show has a translation', () => {
  const spoken = lines.filter(isSentence).filter(({ template }) => !unseen.some(form => form.test(template)));
  assert.ok(spoken.length > 500, `${spoken.length} sentences`);
  const missing = spoken.filter(({ template }) => said[template] === undefined);
  assert.deepEqual(
    missing.map(({ path, template }) => `${path}: ${template}`),
    [],
  );
});

test('a sentence with values in it is found, and not taken for another', () => {
  const say = sayer(said);
  for (const [template, translation] of Object.entries(said)) {
    if (template.replace(/\{\d\}|[^a-z]/gi, '').length < 2) continue;
    // What follows another value at once is something that is known.
    const values = Array.from({ length: 9 }, (_, at) => (template.includes(`}{${at + 1}}`) ? ' since then' : `v${at}`));
    const known = values.map(value => (value === ' since then' ? say('since then')! : value));
    assert.equal(say(filled(template, values)), fill(translation, known), template);
  }
});

test('nothing is translated that the server no longer says', () => {
  const there = new Set([...lines, ...spokenIn(packages, also)].map(({ template }) => template));
  assert.deepEqual(
    Object.keys(said).filter(template => !there.has(template)),
    [],
  );
});

test('a translation fills in what was said, in Chinese punctuation', () => {
  const places = (text: string) => [...text.matchAll(/\{\d\}/g)].map(([place]) => place).sort();
  for (const [template, translation] of Object.entries({ ...said, ...fieldNames })) {
    assert.deepEqual(places(translation), places(template), template);
    assert.doesNotMatch(translation, /[\u4e00-\u9fff][,;:?!"]/u, template);
  }
});

test('causes within causes, several in one and lists under a heading are told as a whole', () => {
  const say = sayer(said);
  const cases = [
    [
      'cluster "shop" is not connected: the connection to its agent ended, 12 s ago (2026-01-31T12:00:00Z)',
      '集群“shop”未连接：与代理的连接已断开，12 秒前（2026-01-31T12:00:00Z）',
    ],
    [
      'cluster "shop" is not connected: its agent has not connected to this server yet since 2026-01-31T12:00:00Z',
      '集群“shop”未连接：代理尚未连接到本服务器（自 2026-01-31T12:00:00Z 起）',
    ],
    [
      'waiting for hosts with the role etcd and the role worker: run the node command on them',
      '等待具有 etcd 和 worker 角色的主机：请在这些主机上运行节点命令',
    ],
    [
      'nothing was changed, since\nweb-1: hostname: its name is "localhost"; give it one of its own (tried 3 times, the next time in 40 s)',
      '没有做任何更改，原因如下\nweb-1：hostname：主机名为“localhost”；请为它设置独有的主机名（已尝试 3 次，40 秒后重试）',
    ],
    ['the role etcd, the role controlplane and the role worker', 'etcd、controlplane 和 worker'],
    ['must be one of etcd, worker', '必须是下列之一：etcd, worker'],
    ['nodes[0].port: must be a whole number', 'nodes[0].port：必须是整数'],
    [
      'you may not delete cluster "c-1": that needs delete on clusters.management.cattle.io in cluster "c-1"; it may be granted by Ada, Zoë',
      '您无权删除 cluster“c-1”：需要对 clusters.management.cattle.io 的 delete 权限（集群“c-1”）；可由 Ada, Zoë 授予',
    ],
    ['Back-off pulling image "nginx": ErrImagePull: not known here', undefined],
    ['write tcp 10.0.0.1:443: broken pipe', undefined],
  ] as const;
  for (const [english, chinese] of cases) assert.equal(say(english), chinese);
});
