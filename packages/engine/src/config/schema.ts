/**
 * Every option of `rancher-cluster.yml`, as a table: what it holds, and whether it is honoured, does nothing here (a warning says what
 * is done instead) or can't be had (refused). Nothing in a file is passed over in silence.
 */

export type Option =
  /** `block` is text of many lines; all other text is one line, since it gets into units and flags. */
  | { readonly holds: 'text' | 'block' | 'number' | 'bool' | 'texts' | 'map' | 'lists' | 'any'; readonly note?: Note }
  | { readonly holds: 'object'; readonly options: Options; readonly note?: Note }
  | { readonly holds: 'list'; readonly options: Options; readonly note?: Note };

export type Options = Readonly<Record<string, Option>>;

export interface Note {
  readonly severity: 'warning' | 'error';
  readonly message: string;
}

const text = { holds: 'text' } as const;
const block = { holds: 'block' } as const;
const number = { holds: 'number' } as const;
const bool = { holds: 'bool' } as const;
const texts = { holds: 'texts' } as const;
const map = { holds: 'map' } as const;
const lists = { holds: 'lists' } as const;
const any = { holds: 'any' } as const;
const object = (options: Options): Option => ({ holds: 'object', options });
const warns = (option: Option, message: string): Option => ({ ...option, note: { severity: 'warning', message } });
const refused = (option: Option, message: string): Option => ({ ...option, note: { severity: 'error', message } });

const noDocker = 'does nothing: components run under systemd and containerd, there is no Docker';
const noWindows = 'does nothing: there are no Windows nodes';
const noImages = 'does nothing: binaries and images come from the bundle';
const noBinds = 'does nothing: components run on the host itself and see all of its files';

const ssh: Options = {
  ssh_agent_auth: bool,
  ssh_key: block,
  ssh_key_path: text,
  ssh_cert: block,
  ssh_cert_path: text,
};

const service = (own: Options = {}): Option =>
  object({
    image: warns(text, noImages),
    extra_args: map,
    extra_args_array: lists,
    extra_env: texts,
    extra_binds: warns(texts, noBinds),
    win_extra_args: warns(map, noWindows),
    win_extra_args_array: warns(lists, noWindows),
    win_extra_env: warns(texts, noWindows),
    win_extra_binds: warns(texts, noWindows),
    ...own,
  });

const s3: Options = {
  access_key: text,
  secret_key: text,
  bucket_name: text,
  region: text,
  endpoint: text,
  custom_ca: block,
  folder: text,
};

const addonPlacement: Options = {
  node_selector: warns(map, 'does nothing yet'),
  tolerations: warns(any, 'does nothing: it tolerates everything already'),
  update_strategy: warns(any, 'does nothing yet'),
};

export const clusterOptions: Options = {
  nodes: {
    holds: 'list',
    options: {
      address: text,
      port: text,
      internal_address: text,
      role: texts,
      hostname_override: text,
      user: text,
      docker_socket: warns(text, noDocker),
      ...ssh,
      labels: map,
      taints: { holds: 'list', options: { key: text, value: text, effect: text } },
      node_name: warns(text, 'does nothing: only the original’s own server sets it'),
    },
  },
  services: object({
    etcd: service({
      external_urls: texts,
      ca_cert: block,
      cert: block,
      key: block,
      path: warns(text, 'does nothing: objects are under /registry'),
      uid: warns(number, 'does nothing: etcd runs as root, its folder is for root alone'),
      gid: warns(number, 'does nothing: etcd runs as root, its folder is for root alone'),
      snapshot: bool,
      retention: text,
      creation: text,
      backup_config: object({
        enabled: bool,
        interval_hours: number,
        retention: number,
        timeout: number,
        safe_timestamp: bool,
        s3backupconfig: object(s3),
      }),
    }),
    'kube-api': service({
      service_cluster_ip_range: text,
      service_node_port_range: text,
      pod_security_policy: warns(bool, 'does nothing: Kubernetes has no pod security policies any more'),
      pod_security_configuration: text,
      always_pull_images: bool,
      secrets_encryption_config: object({ enabled: bool, custom_config: any }),
      audit_log: object({
        enabled: bool,
        configuration: object({
          max_age: number,
          max_backup: number,
          max_size: number,
          path: text,
          format: warns(text, 'does nothing: Kubernetes writes JSON'),
          policy: any,
        }),
      }),
      admission_configuration: any,
      event_rate_limit: object({ enabled: bool, configuration: any }),
    }),
    'kube-controller': service({ cluster_cidr: text, service_cluster_ip_range: text }),
    scheduler: service(),
    kubelet: service({
      cluster_domain: text,
      cluster_dns_server: text,
      fail_swap_on: bool,
      generate_serving_certificate: bool,
      infra_container_image: warns(text, noImages),
    }),
    kubeproxy: service(),
  }),
  network: object({
    plugin: text,
    mtu: number,
    options: map,
    ...addonPlacement,
    calico_network_provider: warns(any, 'does nothing: the network is VXLAN with policies of its own'),
    canal_network_provider: object({ iface: text }),
    flannel_network_provider: object({ iface: text }),
    weave_network_provider: refused(any, 'Weave Net has ended; take canal, which is VXLAN with policies'),
    aci_network_provider: refused(
      any,
      'Cisco ACI needs its vendor’s own images, which no bundle has; take canal or none',
    ),
  }),
  authentication: object({
    strategy: text,
    sans: texts,
    webhook: object({ config_file: block, cache_timeout: text }),
  }),
  authorization: object({ mode: text, options: warns(map, 'does nothing') }),
  addons: block,
  addons_include: texts,
  system_images: warns(any, noImages),
  ...ssh,
  ignore_docker_version: warns(bool, noDocker),
  enable_cri_dockerd: warns(bool, noDocker),
  cri_dockerd_stream_server_address: warns(text, noDocker),
  cri_dockerd_stream_server_port: warns(text, noDocker),
  kubernetes_version: text,
  private_registries: warns(
    any,
    'does nothing yet: images come from the bundle, workloads bring their own pull secrets',
  ),
  ingress: object({
    provider: text,
    options: warns(map, 'does nothing: no ingress controller is installed'),
    extra_args: warns(map, 'does nothing: no ingress controller is installed'),
    extra_envs: warns(any, 'does nothing: no ingress controller is installed'),
    extra_volumes: warns(any, 'does nothing: no ingress controller is installed'),
    extra_volume_mounts: warns(any, 'does nothing: no ingress controller is installed'),
    dns_policy: warns(text, 'does nothing: no ingress controller is installed'),
    http_port: number,
    https_port: number,
    network_mode: warns(text, 'does nothing: no ingress controller is installed'),
    default_backend: warns(bool, 'does nothing: no ingress controller is installed'),
    default_ingress_class: warns(bool, 'does nothing: no ingress controller is installed'),
    default_http_backend_priority_class_name: warns(text, 'does nothing: no ingress controller is installed'),
    nginx_ingress_controller_priority_class_name: warns(text, 'does nothing: no ingress controller is installed'),
    ...addonPlacement,
  }),
  monitoring: object({
    provider: text,
    options: warns(map, 'does nothing yet'),
    replicas: number,
    metrics_server_priority_class_name: warns(text, 'does nothing: it is system-cluster-critical'),
    ...addonPlacement,
  }),
  dns: object({
    provider: text,
    upstreamnameservers: texts,
    reversecidrs: texts,
    stubdomains: lists,
    options: warns(map, 'does nothing yet'),
    nodelocal: warns(any, 'does nothing yet: pods ask CoreDNS at its service address'),
    linear_autoscaler_params: warns(any, 'does nothing: CoreDNS has two replicas where there is more than one node'),
    ...addonPlacement,
  }),
  cluster_name: text,
  cloud_provider: any,
  prefix_path: warns(text, 'does nothing: paths on hosts are fixed'),
  win_prefix_path: warns(text, noWindows),
  addon_job_timeout: warns(number, 'does nothing: addons are applied by the engine, not by jobs'),
  bastion_host: object({
    address: text,
    port: text,
    user: text,
    ...ssh,
    ignore_proxy_env_vars: warns(bool, 'does nothing: no proxy is used for SSH'),
  }),
  restore: warns(any, 'does nothing in a file: see `drover rke etcd snapshot-restore`'),
  rotate_certificates: warns(any, 'does nothing in a file: see `drover rke cert rotate`'),
  rotate_encryption_key: warns(bool, 'does nothing in a file: see `drover rke encrypt rotate-key`'),
  upgrade_strategy: object({
    max_unavailable_worker: text,
    max_unavailable_controlplane: text,
    drain: bool,
    node_drain_input: object({
      force: bool,
      ignore_daemonsets: bool,
      delete_local_data: bool,
      grace_period: number,
      timeout: number,
    }),
  }),
};
