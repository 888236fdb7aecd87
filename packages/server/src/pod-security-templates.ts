/** The built-in templates of pod security: made at the first start; what an admin changes in them stays. */
import { ignoreExists } from '@drover/base';
import type { Caches, Resources } from './resources/index.ts';

/** What clusters and what manages them need is held to no standard by the strict one. */
const systemNamespaces = [
  'calico-apiserver',
  'calico-system',
  'cattle-alerting',
  'cattle-csp-adapter-system',
  'cattle-elemental-system',
  'cattle-epinio-system',
  'cattle-externalip-system',
  'cattle-fleet-local-system',
  'cattle-fleet-system',
  'cattle-gatekeeper-system',
  'cattle-global-data',
  'cattle-global-nt',
  'cattle-impersonation-system',
  'cattle-istio',
  'cattle-istio-system',
  'cattle-logging',
  'cattle-logging-system',
  'cattle-monitoring-system',
  'cattle-neuvector-system',
  'cattle-prometheus',
  'cattle-provisioning-capi-system',
  'cattle-resources-system',
  'cattle-sriov-system',
  'cattle-system',
  'cattle-ui-plugin-system',
  'cattle-windows-gmsa-system',
  'cert-manager',
  'cis-operator-system',
  'compliance-operator-system',
  'fleet-default',
  'fleet-local',
  'ingress-nginx',
  'istio-system',
  'kube-node-lease',
  'kube-public',
  'kube-system',
  'longhorn-system',
  'rancher-alerting-drivers',
  'security-scan',
  'sr-operator-system',
  'tigera-operator',
  'traefik',
];

const everywhere = (level: string) => ({
  audit: level,
  'audit-version': 'latest',
  enforce: level,
  'enforce-version': 'latest',
  warn: level,
  'warn-version': 'latest',
});
const exempting = (namespaces: readonly string[]) => ({ namespaces, runtimeClasses: [], usernames: [] });

export const builtinTemplates: Readonly<
  Record<string, { readonly description: string; readonly configuration: object }>
> = {
  'rancher-privileged': {
    description: 'Holds pods to nothing: whatever a namespace does not say of its own is allowed.',
    configuration: { defaults: everywhere('privileged'), exemptions: exempting([]) },
  },
  'rancher-restricted': {
    description:
      'Holds pods to the strictest of Kubernetes’ standards, but for the namespaces of what runs and manages the cluster.',
    configuration: { defaults: everywhere('restricted'), exemptions: exempting(systemNamespaces) },
  },
};

export async function ensureTemplates(resources: Resources, caches: Caches): Promise<void> {
  for (const [name, template] of Object.entries(builtinTemplates)) {
    if (!caches.podSecurityAdmissionConfigurationTemplate.get(name))
      await ignoreExists(
        resources.create('podSecurityAdmissionConfigurationTemplate', { metadata: { name }, ...template }),
      );
  }
}
