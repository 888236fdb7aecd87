/**
 * Ports of containers: v3 says of each what it is for. A port of the host is the container's own; kinds that need a service
 * have no place in a pod spec and are kept in an annotation of the pods.
 */
import { type Data, isData, type Op, put, valueAt } from './ops.ts';

const key = ['annotations', 'field.cattle.io/ports'];

/** In the order in which they are read back: those that run first come last in v3. */
function eachContainer(data: Data, run: (container: Data, index: number) => void): void {
  const all = Array.isArray(data['containers']) ? data['containers'].filter(isData) : [];
  const ordered = [...all.filter(one => !one['initContainer']), ...all.filter(one => one['initContainer'])];
  for (const [index, one] of ordered.entries()) run(one, index);
}

const ports = (container: Data): Data[] => (Array.isArray(container['ports']) ? container['ports'].filter(isData) : []);

export const containerPorts: Op = {
  toV3(data) {
    const noted = read(valueAt(data, ...key));
    eachContainer(data, (container, index) => {
      if (container['ports'] === undefined) return;
      const known = new Map((noted[index] ?? []).map(port => [port['name'], port]));
      container['ports'] = ports(container).map(port => {
        const more = known.get(port['name']);
        if (more && more['kind'] !== 'HostPort') return { ...port, ...pick(more, ['kind', 'sourcePort', 'dnsName']) };
        return port['hostPort']
          ? { ...port, kind: 'HostPort', sourcePort: port['hostPort'] }
          : { ...port, kind: 'ClusterIP' };
      });
    });
  },
  fromV3(data) {
    const noted: Data[][] = [];
    eachContainer(data, (container, index) => {
      noted[index] = ports(container).filter(({ kind }) => kind === 'NodePort' || kind === 'LoadBalancer');
      if (container['ports'] === undefined || container['ports'] === null) return;
      container['ports'] = ports(container).map(({ kind, sourcePort, dnsName: _, ...port }) =>
        kind === 'HostPort' && sourcePort ? { ...port, hostPort: sourcePort } : port,
      );
    });
    if (noted.some(list => list.length > 0)) put(data, key, JSON.stringify(noted));
  },
};

const pick = (data: Data, fields: readonly string[]): Data =>
  Object.fromEntries(fields.filter(field => data[field] !== undefined).map(field => [field, data[field]]));

/** Whatever stands in the annotation: lists of ports, one for each container, or nothing. */
function read(text: unknown): Data[][] {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : [];
    return Array.isArray(value) ? value.map(list => (Array.isArray(list) ? list.filter(isData) : [])) : [];
  } catch {
    return [];
  }
}
