/** What can be wrong with a cluster although each of its options is right by itself. */
import { X509Certificate } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { ClusterSpec, S3Place } from './spec.ts';
import type { Problem } from './walk.ts';

export function checkSpec(spec: ClusterSpec): Problem[] {
  const problems: Problem[] = [];
  const error = (field: string, message: string) => problems.push({ field, severity: 'error', message });
  const warning = (field: string, message: string) => problems.push({ field, severity: 'warning', message });
  const { nodes } = spec;
  if (!/^[^./\p{Cc}][^/\p{Cc}]{0,252}$/u.test(spec.name))
    error('cluster_name', 'must be 1 to 253 characters without /, not beginning with a dot: files are named after it');
  if (spec.kubernetesVersion !== undefined && !/^v\d+\.\d+\.\d+$/.test(spec.kubernetesVersion))
    error('kubernetes_version', `${spec.kubernetesVersion} is no version such as v1.36.3`);
  checkNetwork(spec, error);
  if (nodes.length === 0) error('nodes', 'is missing: a cluster needs at least one host');
  for (const what of ['address', 'internalAddress', 'name'] as const) {
    const field = { address: 'address', internalAddress: 'internal_address', name: 'hostname_override' }[what];
    nodes.forEach((node, index) => {
      const first = nodes.findIndex(other => other[what] === node[what]);
      if (node[what] !== '' && first !== index)
        error(`nodes[${index}].${field}`, `${node[what]} is the same as that of nodes[${first}]`);
    });
  }
  const having = (role: string) => nodes.filter(({ roles }) => roles.some(one => one === role)).length;
  const members = having('etcd');
  if (spec.etcd.external) {
    if (members > 0) error('services.etcd.external_urls', 'no node may have the role etcd where etcd is elsewhere');
    if (!spec.etcd.external.caCert || !spec.etcd.external.cert || spec.etcd.external.key.reveal() === '')
      error('services.etcd.external_urls', 'ca_cert, cert and key are needed with it');
  } else if (nodes.length > 0 && members === 0) error('nodes', 'none has the role etcd');
  if (members > 0 && members % 2 === 0)
    warning('nodes', `${members} etcd members bear no more losses than ${members - 1} would: take an odd number`);
  if (nodes.length > 0 && having('controlplane') === 0) error('nodes', 'none has the role controlplane');
  if (nodes.length > 0 && having('worker') === 0)
    warning('nodes', 'none has the role worker: nothing can be scheduled');
  checkRanges(spec, error);
  for (const at of blankSecrets(spec.apiserver.secretsEncryption.customConfig))
    error(
      `services.kube-api.secrets_encryption_config.custom_config${at}`,
      'is blank: whoever knows that reads all Secrets',
    );
  checkSnapshots(spec, { error, warning });
  for (const [field, limit] of [
    ['max_unavailable_worker', spec.upgrade.maxUnavailableWorker],
    ['max_unavailable_controlplane', spec.upgrade.maxUnavailableControlplane],
  ] as const)
    if (!/^[1-9]\d*$|^(100|[1-9]?\d)%$/.test(limit))
      error(`upgrade_strategy.${field}`, 'must be a count or a share such as 10%');
  const { drain } = spec.upgrade;
  if (drain && (drain.timeoutSeconds < 1 || drain.timeoutSeconds > 10_800))
    error('upgrade_strategy.node_drain_input.timeout', 'must be from 1 to 10800 seconds');
  return problems;
}

function checkNetwork({ network }: ClusterSpec, error: Say): void {
  const between = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most;
  if (!between(network.vxlanVni, 1, 0xff_ffff)) error('network.options', 'the VNI must be from 1 to 16777215');
  if (!between(network.vxlanPort, 1, 65_535)) error('network.options', 'the port of VXLAN must be from 1 to 65535');
  if (network.mtu !== 0 && !between(network.mtu, 576, 65_535))
    error('network.mtu', 'must be from 576 to 65535, or 0: found out');
}

/** Where in it a secret says nothing, such as `.resources[0].providers[0].aescbc.keys[0].secret`. */
function blankSecrets(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = Array.isArray(value) ? `${at}[${key}]` : `${at}.${key}`;
    const isBlank = key === 'secret' && (typeof inner !== 'string' || inner.trim() === '');
    return isBlank ? [here] : blankSecrets(inner, here);
  });
}

type Say = (field: string, message: string) => void;

function checkRanges({ apiserver, controllerManager, kubelet, nodes }: ClusterSpec, error: Say): void {
  const ranges = [
    ['services.kube-api.service_cluster_ip_range', apiserver.serviceCidr],
    ['services.kube-controller.cluster_cidr', controllerManager.clusterCidr],
  ] as const;
  const lists: BlockList[] = [];
  for (const [field, cidr] of ranges) {
    const list = blockList(cidr);
    if (!list) {
      error(field, `${cidr} is no range of IPv4 addresses such as 10.42.0.0/16 (one range: no dual stack)`);
      return;
    }
    lists.push(list);
    nodes.forEach(({ internalAddress }, index) => {
      if (isIP(internalAddress) === 4 && list.check(internalAddress))
        error(field, `${cidr} has the address of nodes[${index}], ${internalAddress}`);
    });
  }
  const [services, pods] = lists;
  const start = (cidr: string) => cidr.split('/')[0]!;
  if (services?.check(start(controllerManager.clusterCidr)) || pods?.check(start(apiserver.serviceCidr)))
    error('services.kube-controller.cluster_cidr', 'pods and services share addresses');
  if (services && !services.check(kubelet.clusterDnsServer))
    error('services.kubelet.cluster_dns_server', `${kubelet.clusterDnsServer} is not in ${apiserver.serviceCidr}`);
  const [first = 0, last = 0] = apiserver.nodePortRange.split('-').map(Number);
  if (!/^\d+-\d+$/.test(apiserver.nodePortRange) || first < 1 || first > last || last > 65_535)
    error('services.kube-api.service_node_port_range', 'must be such as 30000-32767');
}

function blockList(cidr: string): BlockList | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  if (isIP(address) !== 4 || !/^\d+$/.test(bits) || Number(bits) < 8 || Number(bits) > 28) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(bits));
  return list;
}

function checkSnapshots({ etcd }: ClusterSpec, { error, warning }: { error: Say; warning: Say }): void {
  const { intervalHours, retention, s3 } = etcd.snapshots;
  const at = 'services.etcd.backup_config';
  if (intervalHours < 1) error(`${at}.interval_hours`, 'must be at least 1');
  if (retention < 1) error(`${at}.retention`, 'must be at least 1');
  if (!s3) return;
  for (const { field, message, severity } of s3Problems(s3))
    (severity === 'error' ? error : warning)(`${at}.s3backupconfig.${field}`, message);
}

/** What is wrong with a place in S3, by the names that its options have in the file. */
export function s3Problems(s3: S3Place): Problem[] {
  const problems: Problem[] = [];
  const error = (field: string, message: string) => problems.push({ field, severity: 'error', message });
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(s3.bucket))
    error('bucket_name', s3.bucket === '' ? 'is missing' : `${s3.bucket} is no name of a bucket`);
  if (!/^(https?:\/\/)?[A-Za-z0-9.-]+(:\d+)?\/?$|^(https?:\/\/)?\[[0-9a-fA-F:]+\](:\d+)?\/?$/.test(s3.endpoint))
    error('endpoint', 'must be a host with or without a port, such as s3.example.org:9000');
  if (s3.endpoint.startsWith('http://'))
    problems.push({
      field: 'endpoint',
      severity: 'warning',
      message: 'is without TLS: whoever listens reads snapshots',
    });
  if ((s3.accessKey === undefined) !== (s3.secretKey === undefined))
    error(
      s3.accessKey === undefined ? 'access_key' : 'secret_key',
      'is missing beside the other (neither: the role of the host)',
    );
  if (/(^|\/)\.\.?(\/|$)|[\\*?]/.test(s3.folder))
    error('folder', 'must be a path without dots alone, such as clusters/prod');
  try {
    if (s3.customCa !== undefined) new X509Certificate(s3.customCa);
  } catch {
    error('custom_ca', 'is no PEM certificate');
  }
  return problems;
}
