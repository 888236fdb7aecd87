/** The pod spec in v3: containers with their security context, handlers and ports flattened, init containers among them. */
import { fieldNames } from './live-schemas.ts';
import { type Data, drop, embed, isData, move, type Op, take, within } from './ops.ts';
import { scheduling } from './scheduling.ts';

const names = (id: string) => fieldNames('project', id);

/** What a probe or a hook does: one of several structs in Kubernetes, told apart in v3 by the fields that are set. */
const handler: Op = {
  toV3(data) {
    const tcp = isData(data['tcpSocket']);
    for (const field of ['exec', 'tcpSocket', 'httpGet']) {
      const inner = take(data, [field]);
      if (isData(inner)) Object.assign(data, inner);
    }
    if (tcp) data['tcp'] = true;
  },
  fromV3(data) {
    const tcp = take(data, ['tcp']) === true;
    const sink = (field: string, keys: readonly string[]) => {
      const found = keys.filter(key => data[key] !== undefined && data[key] !== null);
      const inner = Object.fromEntries(found.map(key => [key, data[key]]));
      for (const key of ['command', 'host', 'httpHeaders', 'path', 'port', 'scheme']) delete data[key];
      data[field] = inner;
    };
    if (Array.isArray(data['command']) && data['command'].length > 0) sink('exec', ['command']);
    else if (tcp) sink('tcpSocket', ['port', 'host']);
    else if (data['port'] !== undefined && data['port'] !== null)
      sink('httpGet', ['path', 'port', 'host', 'scheme', 'httpHeaders']);
  },
};

const volumes: readonly Op[] = [
  within('hostPath', move('type', 'kind')),
  within('persistentVolumeClaim', move('claimName', 'persistentVolumeClaimId')),
  within(
    'ephemeral',
    within(
      'volumeClaimTemplate',
      within('spec', move('storageClassName', 'storageClassId'), move('volumeName', 'volumeId')),
    ),
  ),
];

/** v3's short form of env, which older clients write; Kubernetes' own, where it is given, counts. */
const environment: Op = {
  toV3() {},
  fromV3(data) {
    const plain = take(data, ['environment']);
    const from = take(data, ['environmentFrom']);
    if (data['env'] === undefined && data['envFrom'] === undefined) {
      const sources = Array.isArray(from) ? from.filter(isData) : [];
      const whole = sources.filter(
        source => !source['targetKey'] && !source['sourceKey'] && source['source'] !== 'field',
      );
      const single = sources.filter(source => !whole.includes(source));
      const pairs = isData(plain) ? Object.keys(plain).sort() : [];
      const env = [...pairs.map(name => ({ name, value: (plain as Data)[name] })), ...single.map(envVar)];
      if (env.length > 0) data['env'] = env;
      if (whole.length > 0) data['envFrom'] = whole.map(envFrom);
    }
  },
};

function envFrom({ source, sourceName, prefix, optional }: Data): Data {
  const ref = { name: sourceName, ...(optional ? { optional } : {}) };
  return { ...(prefix ? { prefix } : {}), [source === 'secret' ? 'secretRef' : 'configMapRef']: ref };
}

function envVar({ source, sourceName, sourceKey, targetKey, optional }: Data): Data {
  const name = targetKey || sourceKey || sourceName;
  const key = { name: sourceName, key: sourceKey, ...(optional ? { optional } : {}) };
  switch (source) {
    case 'field':
      return { name, valueFrom: { fieldRef: { fieldPath: sourceName } } };
    case 'resource':
      return { name, valueFrom: { resourceFieldRef: { containerName: sourceName, resource: sourceKey } } };
    case 'secret':
      return { name, valueFrom: { secretKeyRef: key } };
    default:
      return { name, valueFrom: { configMapKeyRef: key } };
  }
}

/** What only a running pod's container has; see the pod's status. */
const shownOnly: Op = {
  toV3() {},
  fromV3(data) {
    for (const field of ['state', 'transitioning', 'transitioningMessage', 'exitCode', 'restartCount'])
      delete data[field];
  },
};

const container: readonly Op[] = [
  shownOnly,
  move('command', 'entrypoint'),
  move('args', 'command'),
  environment,
  within('ports', move('hostIP', 'hostIp')),
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].map(probe => within(probe, handler)),
  within('lifecycle', within('postStart', handler), within('preStop', handler)),
  embed('lifecycle', names('lifecycle')),
  within(
    'securityContext',
    within('capabilities', move('add', 'capAdd'), move('drop', 'capDrop')),
    embed('capabilities', names('capabilities')),
    move('readOnlyRootFilesystem', 'readOnly'),
    move('runAsUser', 'uid'),
  ),
  embed('securityContext', names('securityContext')),
];

const initContainers: Op = {
  toV3(data) {
    const first = take(data, ['initContainers']);
    if (!Array.isArray(first)) return;
    const marked = first.filter(isData).map(one => ({ ...one, initContainer: true }));
    data['containers'] = [...((data['containers'] as unknown[] | undefined) ?? []), ...marked];
  },
  fromV3(data) {
    const all = data['containers'];
    if (!Array.isArray(all)) return;
    const [first, others]: [unknown[], unknown[]] = [[], []];
    for (const one of all.filter(isData)) {
      const { initContainer, ...rest } = one;
      (initContainer ? first : others).push(rest);
    }
    data['containers'] = others;
    if (first.length > 0) data['initContainers'] = first;
  },
};

/** Steps for a pod spec as it stands in a Pod or a template. */
export const podSpec: readonly Op[] = [
  within('containers', ...container),
  within('initContainers', ...container),
  initContainers,
  within('volumes', ...volumes),
  move('nodeName', 'nodeId'),
  ...scheduling,
  within('securityContext', move('runAsUser', 'uid'), move('supplementalGroups', 'gids'), move('fsGroup', 'fsgid')),
  embed('securityContext', names('podSecurityContext')),
  drop('serviceAccount'),
];

const template = names('podTemplateSpec').filter(name => name !== 'metadata');

/** Steps for a pod template: its spec beside its metadata. */
export const podTemplate: readonly Op[] = [within('spec', ...podSpec), embed('spec', template)];
export const podTemplateFields: readonly string[] = ['metadata', ...template];
