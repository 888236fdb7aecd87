/** Plans as pure functions: nothing to do where all is as it shall be, the order that keeps a cluster alive where it is not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Bundle } from '../bundle/bundle.ts';
import { readCluster } from '../config/index.ts';
import type { NodeSpec, Role } from '../config/spec.ts';
import { wantedHost } from '../node/wanted-host.ts';
import { completeCertificates } from '../pki/cluster-certs.ts';
import { writerDigest } from '../pki/encryption.ts';
import { renewalOf } from '../pki/renewal.ts';
import { addonDigest } from './addon.ts';
import { wantedSettings } from './node-settings.ts';
import { atOnce, cordonedAnnotation, makePlan } from './plan.ts';
import type { Seen, SeenHost, SeenNode } from './seen.ts';
import type { Plan } from './step.ts';
import type { Wanted } from './wanted.ts';

const facts = {
  cgroupVersion: 2,
  canRaiseLimits: true,
  bridgeNetfilter: true,
  resolvConf: '/etc/resolv.conf',
  nameservers: ['10.0.0.53'],
} as const;

const bundleOf = (version: string): Bundle => ({
  manifest: {
    format: 1,
    id: createHash('sha256').update(version).digest('hex'),
    madeFrom: '',
    platform: 'linux-amd64',
    versions: { kubernetes: version },
    files: [],
    images: { pause: { name: 'drover.io/pause:1', path: 'images/pause.tar' } },
  },
  file: path => path,
});

async function wantedOf(
  roles: readonly (readonly Role[])[],
  options: { version?: string; leaving?: NodeSpec[]; upgrade?: object } = {},
): Promise<Wanted> {
  const nodes = roles.map((role, index) => ({
    address: `10.0.0.${index + 1}`,
    user: 'root',
    hostname_override: `n${index + 1}`,
    role,
    ssh_key: 'k',
  }));
  const { spec } = await readCluster({ nodes, upgrade_strategy: options.upgrade ?? {} }, { dir: '.' });
  const { certificates } = await completeCertificates(spec, kept);
  Object.assign(kept, certificates);
  const bundle = bundleOf(options.version ?? 'v1.36.3');
  return {
    spec,
    bundle,
    hosts: spec.nodes.map(node => wantedHost({ spec, node, certificates, bundle: bundle.manifest, facts })),
    addons: [{ name: 'an-addon', resources: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }] }],
    away: [],
    leaving: options.leaving ?? [],
    etcdFormed: true,
  };
}
/** The same in every plan of this file: a new key would be a new file. */
const kept: Record<string, never> = {};

const blank: SeenHost = {
  facts,
  files: new Map(),
  units: new Map(),
  bundles: [],
  images: new Set(),
  hasEtcdData: false,
};

/** As it is after a run: exactly what was wanted. */
function seenAfter(wanted: Wanted): Seen {
  const hosts = new Map(
    wanted.hosts.map(host => [
      host.node.name,
      {
        facts,
        files: new Map(
          host.files.map(({ path, content, mode }) => [
            path,
            { mode, sha256: createHash('sha256').update(content).digest('hex') },
          ]),
        ),
        units: new Map(
          [...host.etcd, ...host.etcdHelpers, ...host.controlPlane, ...host.worker].map(({ name, inputs }) => [
            name,
            { active: true, enabled: true, inputs },
          ]),
        ),
        bundles: [wanted.bundle.manifest.id.slice(0, 12)],
        images: new Set(['drover.io/pause:1']),
        hasEtcdData: host.etcd.length > 0,
      },
    ]),
  );
  const nodes = wanted.hosts.map(({ node }): SeenNode => {
    const bare = {
      name: node.name,
      ready: true,
      schedulable: true,
      kubeletVersion: wanted.bundle.manifest.versions['kubernetes']!,
      labels: {},
      annotations: {},
      taints: [],
    };
    const { labels, annotations, taints } = wantedSettings(node, bare);
    return { ...bare, labels: labels as Record<string, string>, annotations, taints };
  });
  const addons = Object.fromEntries(wanted.addons.map(addon => [addon.name, addonDigest(addon)]));
  const members = wanted.hosts.flatMap(({ node, etcd }, index) =>
    etcd.length === 0
      ? []
      : {
          id: String(index),
          name: `etcd-${node.name}`,
          peerUrls: [`https://${node.internalAddress}:2380`],
          isLearner: false,
        },
  );
  return { hosts, cluster: { version: 'v1.36.3', nodes, addons }, members };
}

const ids = (plan: Plan): string[] => plan.flatMap(({ chains }) => chains.flat().map(({ id }) => id));
const all: readonly Role[] = ['etcd', 'controlplane', 'worker'];

test('a cluster that is what it shall be has no steps', async () => {
  const wanted = await wantedOf([all, all, all, ['worker']]);
  assert.deepEqual(ids(makePlan(wanted, seenAfter(wanted))), []);
});

test('first members start together, later ones join one at a time', async () => {
  const wanted = await wantedOf([all, all, all]);
  const hosts = new Map(wanted.hosts.map(({ node }) => [node.name, blank]));
  const first = makePlan({ ...wanted, etcdFormed: false }, { hosts });
  const etcd = first.find(({ name }) => name === 'etcd');
  assert.equal(etcd?.chains.length, 3);
  assert.ok(etcd.parallel >= 3);

  const seen = seenAfter(wanted);
  const grown = new Map(seen.hosts).set('n3', blank);
  const second = makePlan(wanted, { ...seen, hosts: grown, members: seen.members?.slice(0, 2) });
  const joining = second.find(({ name }) => name === 'etcd');
  assert.equal(joining?.parallel, 1);
  assert.deepEqual(
    joining.chains.flat().map(({ id }) => id),
    ['etcd/n3/join the members', 'etcd/n3/start drover-etcd'],
  );
});

test('a member whose host lost its data leaves before it joins again', async () => {
  const wanted = await wantedOf([all, all, all]);
  const seen = seenAfter(wanted);
  const plan = ids(makePlan(wanted, { ...seen, hosts: new Map(seen.hosts).set('n2', blank) }));
  const order = ['etcd/n2/remove member etcd-n2', 'etcd/n2/join the members', 'etcd/n2/start drover-etcd'];
  assert.deepEqual(
    plan.filter(id => id.startsWith('etcd/')),
    order,
  );
});

test('members that are all down start together, others one at a time', async () => {
  const wanted = await wantedOf([all, all, all]);
  const seen = seenAfter(wanted);
  const down = new Map([...seen.hosts].map(([name, host]) => [name, { ...host, units: new Map() }]));
  const parallel = (plan: Plan) => plan.find(({ name }) => name === 'etcd')?.parallel ?? 0;
  assert.ok(parallel(makePlan(wanted, { hosts: down })) >= 3);
  assert.equal(parallel(makePlan(wanted, { ...seen, hosts: down })), 1);
});

test('a cluster that lost all its data is not made anew under its people', async () => {
  const wanted = await wantedOf([all]);
  assert.throws(() => makePlan(wanted, { hosts: new Map([['n1', blank]]) }), /Restore a snapshot/);
});

test('an upgrade goes host by host, keeps those that are cordoned by others, and puts back its own', async () => {
  const before = await wantedOf([all, all, ['worker'], ['worker']], { upgrade: { drain: true } });
  const seen = seenAfter(before);
  const wanted = await wantedOf([all, all, ['worker'], ['worker']], { version: 'v1.37.0', upgrade: { drain: true } });
  const plan = makePlan(wanted, seen);
  assert.deepEqual(
    plan.filter(({ parallel }) => parallel === 1).map(({ name }) => name),
    ['etcd', 'control planes', 'nodes of control planes', 'workers'],
  );
  const steps = plan.find(({ name }) => name === 'workers')?.chains[0]?.map(({ title }) => title) ?? [];
  assert.equal(steps[0], 'cordon');
  assert.equal(steps[1], 'drain');
  assert.ok(steps.indexOf('start drover-kubelet') < steps.indexOf('wait until the node is ready'));
  assert.equal(steps.at(-1), 'uncordon');

  const [first, ...others] = seen.cluster!.nodes;
  const cordoned = {
    ...first!,
    schedulable: false,
    annotations: { ...first!.annotations, [cordonedAnnotation]: 'true' },
  };
  const broken = { ...seen, cluster: { ...seen.cluster!, nodes: [cordoned, ...others] } };
  assert.ok(ids(makePlan(before, broken)).includes('nodes/n1/uncordon'));
  const byOthers = { ...seen, cluster: { ...seen.cluster!, nodes: [{ ...first!, schedulable: false }, ...others] } };
  assert.deepEqual(ids(makePlan(before, byOthers)), []);
});

test('a host that leaves is emptied, taken out and cleaned; one that is gone is only taken out', async () => {
  const before = await wantedOf([all, ['worker'], ['worker']]);
  const seen = seenAfter(before);
  const leaving = before.spec.nodes.slice(1);
  const wanted = await wantedOf([all], { leaving: [...leaving] });
  const hosts = new Map(seen.hosts);
  hosts.delete('n3');
  assert.deepEqual(ids(makePlan(wanted, { ...seen, hosts })), [
    'leaving/n2/cordon',
    'leaving/n2/drain',
    'leaving/n2/delete the node',
    'leaving/n2/clean the host',
    'leaving/n3/delete the node',
  ]);
});

test('a role that goes takes its unit and its keys along', async () => {
  const before = await wantedOf([all, all]);
  const seen = seenAfter(before);
  const wanted = await wantedOf([all, ['etcd', 'worker']]);
  const plan = makePlan(wanted, seen);
  assert.ok(ids(plan).includes('nodes/n2/remove drover-kube-apiserver'));
  const files = plan.flatMap(({ chains }) => chains.flat()).find(({ id }) => id.startsWith('files/n2/'));
  assert.ok(files?.action.do === 'files' && files.action.remove.includes('/etc/kubernetes/ssl/kube-ca-key.pem'));
});

test('certificates are renewed on the hosts that are there, with no member started anew while another is away', async () => {
  const wanted = await wantedOf([all, all, all, ['worker']]);
  const seen = seenAfter(wanted);
  const { spec, bundle } = wanted;
  const renewed = await completeCertificates(spec, kept, { renew: renewalOf(undefined, 'services') });
  const { certificates } = renewed;
  const hosts = spec.nodes.map(node => wantedHost({ spec, node, certificates, bundle: bundle.manifest, facts }));
  const without = (...names: string[]): [Wanted, Seen] => [
    {
      ...wanted,
      addons: [],
      hosts: hosts.filter(({ node }) => !names.includes(node.name)),
      away: spec.nodes.filter(({ name }) => names.includes(name)),
    },
    { ...seen, hosts: new Map([...seen.hosts].filter(([name]) => !names.includes(name))) },
  ];
  const starts = (plan: Plan, unit: string) => ids(plan).filter(id => id.endsWith(`start drover-${unit}`));
  const part = makePlan(...without('n3'));
  assert.deepEqual(part.filter(({ name }) => name === 'files')[0]?.chains.length, 3);
  assert.ok(
    ids(part).every(id => !id.includes('/n3/')),
    'nothing is done where nobody is',
  );
  assert.deepEqual(starts(part, 'etcd'), []);
  assert.deepEqual(starts(part, 'kube-apiserver'), [
    'control planes/n1/start drover-kube-apiserver',
    'control planes/n2/start drover-kube-apiserver',
  ]);
  assert.ok(
    ids(part).every(id => !/remove member|withdraw|delete the node/.test(id)),
    ids(part).join('\n'),
  );

  const [some, found] = without('n3');
  const down = { ...found.hosts.get('n2')!, units: new Map() };
  const again = makePlan(some, { ...found, hosts: new Map(found.hosts).set('n2', down) });
  assert.deepEqual(starts(again, 'etcd'), ['etcd/n2/start drover-etcd'], 'one that does not run is started');

  const workerAway = makePlan(...without('n4'));
  assert.equal(starts(workerAway, 'etcd').length, 3);
  assert.equal(workerAway.find(({ name }) => name === 'etcd')?.parallel, 1);
});

test('each phase of new authorities asks for what it has to, once', async () => {
  const wanted = await wantedOf([all, ['worker']]);
  const seen = seenAfter(wanted);
  const rotation = { digest: 'd', authorities: [], keyId: 'k', restart: 'system' } as const;
  const steps = (phase: 'trust' | 'issue' | 'drop') =>
    ids(makePlan({ ...wanted, rotation: { ...rotation, phase } }, seen));
  assert.deepEqual(steps('trust'), ['authorities/start pods anew, to trust the new authority']);
  assert.deepEqual(steps('issue'), [
    'authorities/n1/see that pods have tokens of the new key',
    'authorities/n2/see that pods have tokens of the new key',
    'authorities/write tokens in Secrets anew',
  ]);
  assert.deepEqual(steps('drop'), []);
  const cluster = { ...seen.cluster!, addons: { ...seen.cluster!.addons, 'drover-authorities': 'd' } };
  assert.deepEqual(ids(makePlan({ ...wanted, rotation: { ...rotation, phase: 'trust' } }, { ...seen, cluster })), []);
});

test('Secrets are written anew where they would be written otherwise now, and never without a need', async () => {
  const wanted = await wantedOf([all]);
  const seen = seenAfter(wanted);
  const text = (providers: object[]) => JSON.stringify({ resources: [{ resources: ['secrets'], providers }] });
  const key = (name: string) => ({ name, secret: name });
  const aes = (...names: string[]) => ({ aescbc: { keys: names.map(key) } });
  const steps = (encryption: string | undefined, written?: string) => {
    const addons = { ...seen.cluster!.addons, ...(written === undefined ? {} : { 'drover-secrets': written }) };
    return ids(makePlan({ ...wanted, encryption }, { ...seen, cluster: { ...seen.cluster!, addons } }));
  };
  const rewrite = ['secrets/write all Secrets anew'];
  const byOne = writerDigest(text([aes('one')]));
  assert.deepEqual(steps(undefined), []);
  assert.deepEqual(steps(text([{ identity: {} }, aes('one')])), [], 'read, not written yet');
  assert.deepEqual(steps(text([aes('one'), { identity: {} }])), rewrite);
  assert.deepEqual(steps(text([aes('one', 'two')]), byOne), []);
  assert.deepEqual(steps(text([aes('two', 'one')]), byOne), rewrite);
  assert.deepEqual(steps(undefined, byOne), rewrite);
});

test('no unit and no step has a secret in it', async () => {
  const s3backupconfig = { bucket_name: 'b12', endpoint: 's3.test', access_key: 'ak', secret_key: 'top-secret' };
  const services = { etcd: { backup_config: { s3backupconfig } } };
  const node = { address: '10.0.0.1', user: 'root', role: all, ssh_key: 'k' };
  const { spec } = await readCluster({ nodes: [node], services }, { dir: '.' });
  const { certificates } = await completeCertificates(spec, {});
  const bundle = bundleOf('v1.36.3');
  const host = wantedHost({ spec, node: spec.nodes[0]!, certificates, bundle: bundle.manifest, facts });
  const units = [...host.etcd, ...host.etcdHelpers, ...host.controlPlane, ...host.worker];
  const secrets = ['top-secret', 'PRIVATE KEY'];
  for (const { text } of units) for (const secret of secrets) assert.ok(!text.includes(secret));
  const open = host.files.filter(({ content }) => secrets.some(secret => content.includes(secret)));
  assert.ok(open.some(({ path }) => path === '/etc/drover/etcd-snapshots.json'));
  assert.deepEqual(new Set(open.map(({ mode }) => mode)), new Set([0o600]));
  const wanted = { spec, bundle, hosts: [host], addons: [], away: [], leaving: [], etcdFormed: false };
  const plan = makePlan(wanted, { hosts: new Map([[spec.nodes[0]!.name, blank]]) });
  const told = plan.flatMap(({ chains }) => chains.flat().map(({ id, title }) => `${id} ${title}`)).join();
  assert.ok(!told.includes('top-secret'));
});

test('a share of hosts is rounded down and never nobody', () => {
  assert.deepEqual([atOnce('10%', 5), atOnce('10%', 30), atOnce('2', 5), atOnce('0%', 5)], [1, 3, 2, 1]);
});
