/** Quotas: how much a project, a namespace and a container may take, in v3's words. Each amount is a Kubernetes quantity. */
import { map, string, struct } from '../field.ts';

const limit = struct('resourceQuotaLimit', {
  configMaps: string(),
  /** Amounts of resources that have no field of their own, by their Kubernetes names. */
  extended: map(string()),
  limitsCpu: string(),
  limitsMemory: string(),
  persistentVolumeClaims: string(),
  pods: string(),
  replicationControllers: string(),
  requestsCpu: string(),
  requestsMemory: string(),
  requestsStorage: string(),
  secrets: string(),
  services: string(),
  servicesLoadBalancers: string(),
  servicesNodePorts: string(),
});

/** `usedLimit` is what the project's namespaces have been given of it; only the server writes it. */
export const projectQuota = struct('projectResourceQuota', { limit, usedLimit: limit });

export const namespaceQuota = struct('namespaceResourceQuota', { limit });

export const containerLimit = struct('containerResourceLimit', {
  limitsCpu: string(),
  limitsMemory: string(),
  requestsCpu: string(),
  requestsMemory: string(),
});
