/** cluster.yml as people have it: every option is honoured, named in a warning or refused, and problems come all at once. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ReadCluster, readClusterFile } from './index.ts';
import { clusterOptions, type Options } from './schema.ts';

const dir = await mkdtemp(join(tmpdir(), 'drover-config-'));
after(() => rm(dir, { recursive: true }));
await writeFile(join(dir, 'key'), 'a key');
await writeFile(join(dir, 'objects.yaml'), 'kind: List');

const nodes = `nodes:
- address: 10.0.0.1
  user: root
  role: [controlplane, etcd, worker]
  ssh_key_path: key
`;
const read = (text: string): Promise<ReadCluster> => readClusterFile(text, { dir });

async function problemsOf(text: string): Promise<string[]> {
  const error = await read(text).then(
    () => assert.fail('was taken'),
    (thrown: Error) => thrown,
  );
  return error.message.replace(/^cluster file: /, '').split('\n');
}

test('a file with one node has the original’s defaults', async () => {
  const { spec, warnings } = await read(nodes);
  assert.equal(spec.name, 'local');
  assert.deepEqual(spec.nodes[0]?.roles, ['controlplane', 'etcd', 'worker']);
  assert.equal(spec.nodes[0]?.name, '10.0.0.1');
  assert.equal(spec.nodes[0]?.ssh.privateKey?.reveal(), 'a key');
  assert.equal(spec.apiserver.serviceCidr, '10.43.0.0/16');
  assert.equal(spec.controllerManager.clusterCidr, '10.42.0.0/16');
  assert.equal(spec.kubelet.clusterDnsServer, '10.43.0.10');
  assert.deepEqual(spec.etcd.snapshots, {
    enabled: true,
    intervalHours: 12,
    retention: 6,
    timeoutSeconds: 300,
    safeTimestamp: false,
    s3: undefined,
  });
  assert.deepEqual(
    warnings.map(({ field }) => field),
    ['ingress.provider'],
  );
});

test('the spellings of files, of the API and of people are one', async () => {
  for (const name of ['kube-api', 'kube_api', 'kubeApi']) {
    const { spec } = await read(
      `${nodes}services: { ${name}: { serviceClusterIpRange: 10.50.0.0/16, extra_args: { v: 3 } } }`,
    );
    assert.equal(spec.apiserver.serviceCidr, '10.50.0.0/16');
    assert.equal(spec.kubelet.clusterDnsServer, '10.50.0.10');
    assert.deepEqual(spec.apiserver.extraArgs, { v: '3' });
  }
});

test('an option that is not there is named with the one that may be meant', async () => {
  const { warnings } = await read(
    `${nodes}kubernetes_verison: v1.36.3\nservices: { kubelet: { cluster_dommain: a.b } }`,
  );
  assert.deepEqual(
    warnings.filter(({ message }) => message.includes('no such option')),
    [
      { field: 'kubernetes_verison', message: 'there is no such option; did you mean kubernetes_version?' },
      { field: 'services.kubelet.cluster_dommain', message: 'there is no such option; did you mean cluster_domain?' },
    ],
  );
});

test('what does nothing here is said, unless it is empty as the original writes it', async () => {
  const { warnings } = await read(`${nodes}services: { kubelet: { extra_binds: ["/a:/b"], infra_container_image: "" } }
ignore_docker_version: true
prefix_path: ""`);
  const fields = warnings.map(({ field }) => field);
  assert.ok(fields.includes('services.kubelet.extra_binds') && fields.includes('ignore_docker_version'));
  assert.ok(!fields.includes('prefix_path') && !fields.includes('services.kubelet.infra_container_image'));
});

test('all problems are told at once, each with its place', async () => {
  const found = await problemsOf(`nodes:
- { address: 10.0.0.1, role: [etcd, master], ssh_key_path: none }
- { address: 10.0.0.1, user: a, role: worker, ssh_key_path: key, port: 0, hostname_override: "Bad_Name" }
services:
  etcd: { backup_config: { interval_hours: often, retention: 0 } }
  kube-api: { service_cluster_ip_range: 10.42.128.0/17 }
authentication: { strategy: ldap }
network: { plugin: weave }
upgrade_strategy: { max_unavailable_worker: 0 }
addons_include: [missing.yaml, "https://example.test/a.yaml"]`);
  const expected = [
    /^nodes\[0\]\.user: is missing/,
    /^nodes\[0\]\.role: "master" is none of/,
    /^nodes\[0\]\.ssh_key_path: none can't be read/,
    /^nodes\[1\]\.port: must be from 1 to 65535/,
    /^nodes\[1\]\.hostname_override: "bad_name" is no name/,
    /^nodes\[1\]\.address: 10\.0\.0\.1 is the same as that of nodes\[0\]/,
    /^nodes: none has the role controlplane/,
    /^services\.etcd\.backup_config\.interval_hours: must be a whole number/,
    /^services\.etcd\.backup_config\.retention: must be at least 1/,
    /^services\.kube-controller\.cluster_cidr: pods and services share addresses/,
    /^authentication\.strategy: must be x509/,
    /^network\.plugin: weave can't be had/,
    /^upgrade_strategy\.max_unavailable_worker: must be a count/,
    /^addons_include\[0\]: can't be read/,
    /^addons_include\[1\]: is a URL/,
  ];
  for (const one of expected)
    assert.ok(
      found.some(line => one.test(line)),
      `${one} in\n${found.join('\n')}`,
    );
});

const refused: [string, RegExp][] = [
  ['nodes: [', /it is not YAML/],
  ['[]', /must be a map/],
  ['{}', /^nodes: is missing/],
  [`${nodes}services: { etcd: { external_urls: ["https://e:2379"] } }`, /no node may have the role etcd/],
  [`${nodes}services: { kubelet: { cluster_dns_server: 10.1.0.10 } }`, /10\.1\.0\.10 is not in 10\.43\.0\.0\/16/],
  [`${nodes}services: { kube-controller: { cluster_cidr: 10.0.0.0/16 } }`, /has the address of nodes\[0\]/],
  [`${nodes}services: { kube-controller: { cluster_cidr: "10.42.0.0/16,fd00::/48" } }`, /no dual stack/],
  [`${nodes}cluster_name: { a: b }`, /^cluster_name: must be text/],
  [`${nodes}cluster_name: ../other`, /^cluster_name: must be 1 to 253 characters/],
  [`${nodes}kubernetes_version: banana`, /^kubernetes_version: vbanana is no version/],
  [`${nodes}network: { mtu: -1 }`, /^network\.mtu: must be from 576/],
  [`${nodes}network: { options: { flannel_backend_vni: abc } }`, /^network\.options: the VNI must be/],
  [`${nodes}services: { kube-api: { service_node_port_range: 32767-30000 } }`, /must be such as 30000-32767/],
  [`${nodes}services: { kubelet: { extra_env: ["A=b\\nExecStartPre=/bin/x"] } }`, /extra_env: must be one line/],
  [`${nodes}services: { kubelet: { extra_args: { v: "3\\nUser=x" } } }`, /extra_args: must be one line/],
  [`${nodes}services: { kubelet: { extra_args_array: { v: ["3\\nUser=x"] } } }`, /extra_args_array: must be one line/],
  [`${nodes}services: { kubelet: { cluster_domain: "a\\nb" } }`, /cluster_domain: must be one line/],
  [`${nodes}cluster_name: a\nclusterName: b`, /^clusterName: is there in two spellings of cluster_name/],
];
for (const [text, message] of refused) {
  test(`refused: ${JSON.stringify(text.replace(nodes, '… '))}`, async () => {
    const found = await problemsOf(text);
    assert.ok(
      found.some(line => message.test(line)),
      found.join('\n'),
    );
  });
}

test('an even number of members is taken with a warning', async () => {
  const second = nodes.replace('nodes:\n', '').replace('10.0.0.1', '10.0.0.2');
  const { warnings } = await read(nodes + second);
  assert.ok(warnings.some(({ message }) => /bear no more losses than 1 would/.test(message)));
});

test('what would be dropped is said', async () => {
  const { warnings } = await read(`${nodes}services:
  etcd: { creation: 6h, retention: 24h }
  kube-api: { service_cluster_ip_range: 10.43.0.0/16 }
  kube-controller: { service_cluster_ip_range: 10.44.0.0/16 }
  kubelet: { generate_serving_certificate: false }
bastion_host: { user: me }`);
  const fields = warnings.map(({ field }) => field);
  for (const field of [
    'services.etcd.creation',
    'services.etcd.retention',
    'services.kube-controller.service_cluster_ip_range',
    'services.kubelet.generate_serving_certificate',
    'bastion_host',
  ])
    assert.ok(fields.includes(field), field);
});

test('a cloud is external or it is refused', async () => {
  const { spec } = await read(`${nodes}cloud_provider: { name: external }`);
  assert.deepEqual(
    [spec.kubelet.extraArgs, spec.controllerManager.extraArgs],
    [{ 'cloud-provider': 'external' }, { 'cloud-provider': 'external' }],
  );
  assert.match(
    (await problemsOf(`${nodes}cloud_provider: { name: aws }`)).join(),
    /aws is no part of Kubernetes any more/,
  );
});

test('a version is taken whatever suffix it has', async () => {
  const { spec } = await read(`${nodes}kubernetes_version: v1.36.3-rancher1-1`);
  assert.equal(spec.kubernetesVersion, 'v1.36.3');
});

test('no option of the table is without a kind', () => {
  const count = (options: Options): number =>
    Object.values(options).reduce((sum, option) => sum + ('options' in option ? count(option.options) : 1), 0);
  assert.ok(count(clusterOptions) > 180, `${count(clusterOptions)} options`);
});

test('a place in S3 is taken whole, or refused with what is wrong about it', async () => {
  const at = (options: string) => `${nodes}services: { etcd: { backup_config: { s3backupconfig: {${options}} } } }`;
  const { spec, warnings } = await read(
    at('bucket_name: b12, endpoint: http://10.0.0.9:9000, access_key: a, secret_key: b, folder: x/y'),
  );
  const { secretKey, ...place } = spec.etcd.snapshots.s3!;
  assert.equal(secretKey?.reveal(), 'b');
  assert.deepEqual(place, {
    endpoint: 'http://10.0.0.9:9000',
    bucket: 'b12',
    region: '',
    folder: 'x/y',
    accessKey: 'a',
    customCa: undefined,
  });
  assert.ok(warnings.some(({ message }) => message.includes('without TLS')));
  assert.deepEqual(
    (await problemsOf(at('endpoint: "ftp://a/b", access_key: a, custom_ca: no, folder: a/../b'))).map(line =>
      line.replace('services.etcd.backup_config.s3backupconfig.', ''),
    ),
    [
      'bucket_name: is missing',
      'endpoint: must be a host with or without a port, such as s3.example.org:9000',
      'secret_key: is missing beside the other (neither: the role of the host)',
      'folder: must be a path without dots alone, such as clusters/prod',
      'custom_ca: is no PEM certificate',
    ],
  );
});
