/**
 * Services of a workload's ports: v3 says of a port what it is for, and a ClusterIP, NodePort or LoadBalancer port is there by a
 * service of the workload's own, made with it and kept in step with it. The cluster takes them away with the workload.
 */
import type { LiveObject, V3Data } from '@drover/api';
import { invalid, isAlreadyExists } from '@drover/base';
import { type ResourceRef, services } from '@drover/kube';
import type { ApiRequest } from '../api/behaviour.ts';
import { asCaller } from './as-caller.ts';

const madeKey = 'workload.cattle.io/workloadPortBased';
const targetsKey = 'field.cattle.io/targetWorkloadIds';
const suffixes = { ClusterIP: '', NodePort: '-nodeport', LoadBalancer: '-loadbalancer' } as const;
type Kind = keyof typeof suffixes;

interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: string;
  readonly nodePort?: number;
}

interface ServiceObject extends LiveObject {
  readonly spec?: { readonly ports?: readonly ServicePort[] };
}

/** The ports by the name of the service that they need, as v3 has them in `containers`. */
export function planServices(
  name: string,
  containers: unknown,
): Map<string, { readonly kind: Kind; readonly ports: ServicePort[] }> {
  const plan = new Map<string, { kind: Kind; ports: ServicePort[] }>();
  for (const container of listOf(containers)) {
    for (const port of listOf(container['ports'])) {
      const kind = port['kind'];
      if (typeof kind !== 'string' || !Object.hasOwn(suffixes, kind)) continue;
      const of = kind as Kind;
      const service = String(port['dnsName'] || `${name}${suffixes[of]}`);
      const known = plan.get(service) ?? { kind: of, ports: [] };
      if (known.kind !== of)
        throw invalid('dnsName', `"${service}" can't be a ${known.kind} and a ${of} as well`, 'InvalidOption');
      known.ports.push(servicePort(port, of));
      plan.set(service, known);
    }
  }
  return plan;
}

function servicePort(port: V3Data, kind: Kind): ServicePort {
  const container = Number(port['containerPort']);
  const source = Number(port['sourcePort'] ?? 0);
  const protocol = String(port['protocol'] || 'TCP').toUpperCase();
  return {
    name: String(port['name'] || `${container}-${protocol.toLowerCase()}`),
    port: kind === 'LoadBalancer' && source ? source : container,
    targetPort: container,
    protocol,
    ...(kind === 'NodePort' && source ? { nodePort: source } : {}),
  };
}

const listOf = (value: unknown): V3Data[] =>
  Array.isArray(value) ? value.filter(one => typeof one === 'object' && one !== null) : [];

export interface OwnedPorts {
  /** The workload's id in v3. */
  readonly id: string;
  readonly object: LiveObject;
  readonly containers: unknown;
  /** As they were: a port is shown as a ClusterIP one also where nobody ever asked for a service. */
  readonly before?: unknown;
}

/** Makes, changes and deletes the workload's own services until they are what its ports ask for; others are left alone. */
export async function ensureServices(
  request: ApiRequest,
  { id, object, containers, before }: OwnedPorts,
): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  const [plan, old] = [planServices(name, containers), planServices(name, before)];
  const client = asCaller(request);
  const ref: ResourceRef = services;
  const own = new Map<string, ServiceObject>();
  for await (const service of client.listAll<ServiceObject>(ref, { namespace }))
    if (isOwn(service, uid)) own.set(service.metadata.name, service);
  const selector = plan.size > 0 ? selectorOf(object) : {};
  for (const [service, { kind, ports }] of plan) {
    const seen = own.get(service);
    own.delete(service);
    const spec = { type: kind, selector, ports };
    if (seen) {
      await client.update<ServiceObject>(ref, { ...seen, spec: { ...seen.spec, ...spec, ports: kept(ports, seen) } });
      continue;
    }
    if (kind === 'ClusterIP' && old.has(service)) continue;
    const metadata = {
      name: service,
      namespace,
      annotations: { [madeKey]: 'true', [targetsKey]: JSON.stringify([id]) },
      ownerReferences: [{ apiVersion: object.apiVersion, kind: object.kind, name, uid, controller: true }],
    };
    await client
      .create(ref, { apiVersion: 'v1', kind: 'Service', metadata, spec } as unknown as ServiceObject)
      .catch(error => {
        if (!isAlreadyExists(error)) throw error;
        throw invalid('name', `there is a service "${service}" that is not this workload's`, 'NotUnique');
      });
  }
  for (const { metadata } of own.values())
    await client.delete(ref, metadata.name, { namespace, preconditions: { uid: metadata.uid } });
}

const isOwn = ({ metadata }: ServiceObject, uid: string | undefined): boolean =>
  metadata.annotations?.[madeKey] === 'true' && metadata.ownerReferences?.some(owner => owner.uid === uid) === true;

/** A port of a node that the cluster chose stays, where none is asked for. */
function kept(ports: readonly ServicePort[], { spec }: ServiceObject): ServicePort[] {
  return ports.map(port => {
    const nodePort = port.nodePort ?? spec?.ports?.find(one => one.name === port.name)?.nodePort;
    return nodePort ? { ...port, nodePort } : port;
  });
}

function selectorOf({ spec, kind }: LiveObject): object {
  const selector = (spec as { selector?: { matchLabels?: object } } | undefined)?.selector;
  const labels = kind === 'ReplicationController' ? selector : selector?.matchLabels;
  if (!labels || Object.keys(labels).length === 0)
    throw invalid('ports', 'need a workload that finds its pods by labels', 'InvalidOption');
  return labels;
}

/** Whether any port is there by a service. */
export function needsServices(containers: unknown): boolean {
  return listOf(containers).some(one => listOf(one['ports']).some(({ kind }) => typeof kind === 'string'));
}
