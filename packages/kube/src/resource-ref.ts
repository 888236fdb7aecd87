/**
 * Which collection of the API is meant, and its path. Refs of the kinds we use are constants here; others come from
 * discovery.
 */
import { invalid } from '@drover/base';

export interface ResourceRef {
  /** `v1` or `group/version`. */
  readonly apiVersion: string;
  /** The plural, as in the URL. */
  readonly resource: string;
  readonly kind?: string;
  readonly namespaced: boolean;
}

export interface PathOptions {
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** The URL path of a collection, an object or its subresource. Throws Invalid where a namespace or name can't be right. */
export function resourcePath(ref: ResourceRef, { namespace, name, subresource }: PathOptions = {}): string {
  const base = ref.apiVersion.includes('/') ? `/apis/${ref.apiVersion}` : `/api/${ref.apiVersion}`;
  if (ref.namespaced && name !== undefined && !namespace) {
    throw invalid('metadata.namespace', `is needed for ${ref.resource}, which live in namespaces`);
  }
  const parts = [base];
  if (ref.namespaced && namespace) parts.push('namespaces', segment('metadata.namespace', namespace));
  parts.push(ref.resource);
  if (name !== undefined) parts.push(segment('metadata.name', name));
  if (subresource) parts.push(subresource.split('/').map(encodeURIComponent).join('/'));
  return parts.join('/');
}

/** One path segment; what would lead out of its place is refused, as the API server does for every name. */
function segment(field: string, value: string): string {
  if (value === '' || value === '.' || value === '..' || /[/%]/.test(value)) {
    throw invalid(field, `must be a name without "/" or "%", not "${value}"`);
  }
  return encodeURIComponent(value);
}

function cluster(apiVersion: string, resource: string, kind: string): ResourceRef {
  return { apiVersion, resource, kind, namespaced: false };
}

function namespaced(apiVersion: string, resource: string, kind: string): ResourceRef {
  return { apiVersion, resource, kind, namespaced: true };
}

export const namespaces = cluster('v1', 'namespaces', 'Namespace');
export const nodes = cluster('v1', 'nodes', 'Node');
export const persistentVolumes = cluster('v1', 'persistentvolumes', 'PersistentVolume');
export const pods = namespaced('v1', 'pods', 'Pod');
export const services = namespaced('v1', 'services', 'Service');
export const endpoints = namespaced('v1', 'endpoints', 'Endpoints');
export const secrets = namespaced('v1', 'secrets', 'Secret');
export const configMaps = namespaced('v1', 'configmaps', 'ConfigMap');
export const serviceAccounts = namespaced('v1', 'serviceaccounts', 'ServiceAccount');
export const resourceQuotas = namespaced('v1', 'resourcequotas', 'ResourceQuota');
export const limitRanges = namespaced('v1', 'limitranges', 'LimitRange');
export const events = namespaced('v1', 'events', 'Event');
export const deployments = namespaced('apps/v1', 'deployments', 'Deployment');
export const daemonSets = namespaced('apps/v1', 'daemonsets', 'DaemonSet');
export const statefulSets = namespaced('apps/v1', 'statefulsets', 'StatefulSet');
export const replicaSets = namespaced('apps/v1', 'replicasets', 'ReplicaSet');
export const jobs = namespaced('batch/v1', 'jobs', 'Job');
export const leases = namespaced('coordination.k8s.io/v1', 'leases', 'Lease');
export const roles = namespaced('rbac.authorization.k8s.io/v1', 'roles', 'Role');
export const roleBindings = namespaced('rbac.authorization.k8s.io/v1', 'rolebindings', 'RoleBinding');
export const clusterRoles = cluster('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole');
export const clusterRoleBindings = cluster('rbac.authorization.k8s.io/v1', 'clusterrolebindings', 'ClusterRoleBinding');
export const customResourceDefinitions = cluster(
  'apiextensions.k8s.io/v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
);
export const networkPolicies = namespaced('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy');
export const admissionPolicies = cluster(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
);
export const admissionPolicyBindings = cluster(
  'admissionregistration.k8s.io/v1',
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
);
export const apiServices = cluster('apiregistration.k8s.io/v1', 'apiservices', 'APIService');
export const tokenReviews = cluster('authentication.k8s.io/v1', 'tokenreviews', 'TokenReview');
export const subjectAccessReviews = cluster('authorization.k8s.io/v1', 'subjectaccessreviews', 'SubjectAccessReview');
export const selfSubjectAccessReviews = cluster(
  'authorization.k8s.io/v1',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
);
/** What the authorized endpoint of a cluster knows of tokens and of whose they are. */
export const clusterAuthTokens = namespaced('cluster.cattle.io/v3', 'clusterauthtokens', 'ClusterAuthToken');
export const clusterUserAttributes = namespaced(
  'cluster.cattle.io/v3',
  'clusteruserattributes',
  'ClusterUserAttribute',
);
/** Deprecated in Kubernetes 1.19 for what can't be asked from where the API server stands, and served still. */
export const componentStatuses = cluster('v1', 'componentstatuses', 'ComponentStatus');
export const podMetrics = namespaced('metrics.k8s.io/v1beta1', 'pods', 'PodMetrics');
export const nodeMetrics = cluster('metrics.k8s.io/v1beta1', 'nodes', 'NodeMetrics');
