/** The settings there are, with their defaults, and what some of them take. */
import { invalid, isDnsLabel } from '@drover/base';
import { checkInactivity } from './auth/inactive-users.ts';
import { parseNetworks } from './http/client-address.ts';
import { parseList, requireHostPatterns } from './outbound/hosts.ts';

export const settingDefaults: Readonly<Record<string, string>> = {
  'agent-image': 'drover/agent:0.1.0',
  'auth-token-default-ttl-minutes': '129600',
  'auth-token-max-ttl-minutes': '129600',
  'auth-user-session-idle-ttl-minutes': '960',
  'auth-user-session-ttl-minutes': '960',
  cacerts: '',
  /** Whether the past of clusters is kept: `on` or `off`. */
  'cluster-history': 'on',
  'crt-default-grace-period-minutes': '180',
  'crt-default-ttl-minutes': '43200',
  'delete-inactive-user-after': '',
  'disable-inactive-user-after': '2160h',
  'first-login': 'true',
  /** The workspace of clusters that are put into none. */
  'fleet-default-workspace-name': 'fleet-default',
  'install-uuid': '',
  'k8s-version': 'v1.36.3',
  'kubeconfig-default-token-ttl-minutes': '43200',
  'kubeconfig-max-token-ttl-minutes': '129600',
  /** Networks that the outbound proxy may go to although they are not on the Internet. */
  'outbound-networks': '',
  'password-min-length': '12',
  'server-url': '',
  'server-version': 'v0.1.0',
  /** What kubectl shells run in: an image with kubectl and a shell. */
  'shell-image': 'rancher/shell:v0.8.1',
  'system-default-registry': '',
  'system-namespaces':
    'kube-system,kube-public,kube-node-lease,cattle-system,cattle-global-data,cattle-impersonation-system,cattle-fleet-system,cattle-fleet-local-system,cattle-monitoring-system,cattle-logging-system,ingress-nginx,cert-manager,calico-system,calico-apiserver,tigera-operator',
  'ui-banners': '{}',
  'ui-brand': '',
  'ui-default-landing': '',
  'ui-issues': '',
  'ui-pl': 'Drover',
  /** Hosts that the outbound proxy may ask beside those of active drivers. */
  'whitelist-domain': '',
};

function wholeNumber(name: string, { min, max }: { min: number; max: number }): (value: string) => void {
  return value => {
    const number = Number(value);
    if (!/^-?\d{1,9}$/.test(value) || number < min || number > max)
      throw invalid('value', `${name} must be a whole number from ${min} to ${max}`, 'InvalidFormat');
  };
}

function imageReference(name: string, example: string): (value: string) => void {
  return value => {
    if (!/^[a-z0-9][-a-z0-9./:_@]{0,254}$/i.test(value))
      throw invalid('value', `${name} must be an image reference such as ${example}`, 'InvalidFormat');
  };
}

const minutes = { min: 0, max: 5_256_000 };

/** Throw Invalid for a value that the setting can't have. */
export const settingChecks: Readonly<Record<string, (value: string) => void>> = {
  ...Object.fromEntries(
    Object.keys(settingDefaults)
      .filter(name => name.endsWith('-minutes'))
      .map(name => [name, wholeNumber(name, minutes)]),
  ),
  // As for others who keep to these settings: nobody is deleted within two weeks, or disabled within a day.
  'delete-inactive-user-after': checkInactivity('delete-inactive-user-after', 336),
  'disable-inactive-user-after': checkInactivity('disable-inactive-user-after', 24),
  'cluster-history': value => {
    if (value !== 'on' && value !== 'off') throw invalid('value', 'cluster-history must be on or off', 'InvalidOption');
  },
  'outbound-networks': value => {
    try {
      parseNetworks(parseList(value), 'value');
    } catch {
      throw invalid('value', 'outbound-networks must be CIDRs with commas between them', 'InvalidFormat');
    }
  },
  'whitelist-domain': value => requireHostPatterns('value', parseList(value)),
  'fleet-default-workspace-name': value => {
    if (!isDnsLabel(value)) throw invalid('value', 'must be the name of a workspace', 'InvalidFormat');
  },
  'password-min-length': wholeNumber('password-min-length', { min: 2, max: 256 }),
  'server-url': value => {
    if (!URL.canParse(value) || new URL(value).protocol !== 'https:')
      throw invalid('value', 'server-url must be an https URL', 'InvalidFormat');
  },
  'agent-image': imageReference('agent-image', 'registry.example.com/drover/agent:1.0'),
  'shell-image': imageReference('shell-image', 'registry.example.com/rancher/shell:v0.8.1'),
  'system-namespaces': value => {
    if (value.length > 4096 || !value.split(',').every(name => isDnsLabel(name.trim())))
      throw invalid('value', 'system-namespaces must be names of namespaces with commas between them', 'InvalidFormat');
  },
  'system-default-registry': value => {
    if (value.length > 255 || !/^[a-z0-9][-a-z0-9.]*(:\d{1,5})?(\/[a-z0-9][-a-z0-9._]*)*\/?$/i.test(value))
      throw invalid('value', 'system-default-registry must be a host with an optional port and path', 'InvalidFormat');
  },
};
