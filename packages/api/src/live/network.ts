/** Services and ingresses. */
import { fieldNames } from './live-schemas.ts';
import { type LiveType, liveType } from './live-type.ts';
import { annotation, drop, embed, isData, label, move, type Op, put, take, valueAt, within } from './ops.ts';

/** v3 names a service and a port, number or name, where Kubernetes has a struct for each. */
const backend: Op = {
  toV3(data) {
    const service = data['service'];
    if (!isData(service)) return;
    data['serviceId'] = service['name'];
    const port = valueAt(service, 'port', 'number') ?? valueAt(service, 'port', 'name');
    if (port !== undefined) data['targetPort'] = port;
    delete data['service'];
  },
  fromV3(data) {
    const service = take(data, ['serviceId']);
    const port = take(data, ['targetPort']);
    // Workloads as targets would need services that nobody makes here.
    delete data['workloadIds'];
    if (typeof service !== 'string' || service === '') return;
    put(data, ['service', 'name'], service);
    if (port !== undefined && port !== null)
      put(data, ['service', 'port'], typeof port === 'number' ? { number: port } : { name: port });
  },
};

/** Older clients call the default backend `backend`. */
const olderBackend: Op = {
  toV3() {},
  fromV3(data) {
    const older = take(data, ['backend']);
    if (isData(older) && data['defaultBackend'] === undefined) data['defaultBackend'] = older;
  },
};

const pathType: Op = {
  toV3() {},
  fromV3(data) {
    data['pathType'] ??= 'ImplementationSpecific';
  },
};

/** `None` asks for no address: v3 shows a service without one. */
const headless: Op = {
  toV3(data) {
    if (data['clusterIP'] === 'None') {
      delete data['clusterIP'];
      delete data['clusterIPs'];
    }
  },
  fromV3(data) {
    if (data['clusterIP'] === null) delete data['clusterIP'];
  },
};

/** v3 has no word for the service's type here: its own `type` is not that. */
const ownType: Op = {
  toV3() {},
  fromV3(data) {
    if (data['type'] === 'dnsRecord') delete data['type'];
  },
};

const service = {
  context: 'project',
  apiVersion: 'v1',
  kind: 'Service',
  resource: 'services',
  namespaced: true,
  spec: [headless, move('externalName', 'hostname'), move('type', 'kind'), move('clusterIP', 'clusterIp')],
  ops: [
    drop('status'),
    label('workloadId'),
    annotation('description'),
    annotation('ipAddresses', { json: true }),
    annotation('targetWorkloadIds', { json: true }),
    annotation('targetDnsRecordIds', { json: true }),
    annotation('publicEndpoints', { json: true }),
  ],
} as const;

export const networkTypes: readonly LiveType[] = [
  liveType({ ...service, id: 'service' }),
  // The same, as a name for something else.
  liveType({ ...service, id: 'dnsRecord', spec: [ownType, ...service.spec] }),
  liveType({
    id: 'ingress',
    context: 'project',
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    resource: 'ingresses',
    namespaced: true,
    spec: [
      within('tls', move('secretName', 'certificateId')),
      within(
        'rules',
        within(
          'http',
          within(
            'paths',
            pathType,
            within('backend', backend),
            embed('backend', fieldNames('project', 'ingressBackend')),
          ),
        ),
        embed('http', ['paths']),
      ),
      within('defaultBackend', backend),
      olderBackend,
    ],
    ops: [annotation('description'), annotation('publicEndpoints', { json: true })],
  }),
];
