/**
 * Secrets of namespaces: as they are, and by kind with their parts by name. What is secret in them is taken and never shown
 * by the kinds; the plain form shows what Kubernetes itself shows whoever may read it.
 */
import { type LiveType, liveType } from './live-type.ts';
import { annotation, type Data, isData, move, type Op, put, take, valueAt, words } from './ops.ts';

const kinds = {
  'kubernetes.io/service-account-token': 'serviceAccountToken',
  'kubernetes.io/dockerconfigjson': 'dockerCredential',
  'kubernetes.io/basic-auth': 'basicAuth',
  'kubernetes.io/ssh-auth': 'sshAuth',
  'kubernetes.io/tls': 'certificate',
} as const;

const shared = {
  context: 'project',
  apiVersion: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  namespaced: true,
} as const;

const encode = (text: string): string => {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''));
};

function decode(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), char => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

/** A part of the secret's data as text of its own; `hidden` ones only go in. */
function part(key: string, field: string, { hidden = false }: { readonly hidden?: boolean } = {}): Op {
  return {
    toV3(data) {
      const text = decode(take(data, ['data', key]));
      if (text !== undefined && !hidden) data[field] = text;
    },
    fromV3(data) {
      const text = take(data, [field]);
      if (typeof text === 'string') put(data, ['data', key], encode(text));
    },
  };
}

/** Nothing else of the secret's data shows. */
const rest: Op = {
  toV3(data) {
    delete data['data'];
  },
  fromV3() {},
};

/** Registries by their address, without what signs in to them. */
const registries: Op = {
  toV3(data) {
    const text = decode(take(data, ['data', '.dockerconfigjson']));
    const auths = text === undefined ? undefined : valueAt(parsed(text), 'auths');
    if (!isData(auths)) return;
    const shown = Object.entries(auths).map(([host, auth]) => {
      const { username, email } = isData(auth) ? auth : {};
      return [host, { ...(username ? { username } : {}), ...(email ? { email } : {}) }] as const;
    });
    data['registries'] = Object.fromEntries(shown);
  },
  fromV3(data) {
    const given = take(data, ['registries']);
    if (!isData(given)) return;
    const auths = Object.entries(given).map(([host, one]) => {
      const { username, password, email, auth } = isData(one) ? one : {};
      const signIn = auth ?? (username && password ? encode(`${String(username)}:${String(password)}`) : undefined);
      const fields = { username, password, email, auth: signIn };
      return [host, Object.fromEntries(Object.entries(fields).filter(([, value]) => value))] as const;
    });
    put(data, ['data', '.dockerconfigjson'], encode(JSON.stringify({ auths: Object.fromEntries(auths) })));
  },
};

function parsed(text: string): Data {
  try {
    const value: unknown = JSON.parse(text);
    return isData(value) ? value : {};
  } catch {
    return {};
  }
}

function ofKind(id: string, type: keyof typeof kinds, ...ops: readonly Op[]): LiveType {
  return liveType({
    ...shared,
    id,
    baseType: id.startsWith('namespaced') ? 'namespacedSecret' : 'secret',
    fieldSelector: `type=${type}`,
    fixed: { type },
    ops: [annotation('description'), ...ops, rest],
  });
}

const account = (field: string, key: string): Op => ({
  toV3(data) {
    const value = take(data, ['annotations', key]);
    if (value !== undefined) data[field] = value;
  },
  fromV3(data) {
    const value = take(data, [field]);
    if (value) put(data, ['annotations', key], value);
  },
});

const plain: readonly Op[] = [annotation('description'), words('type', kinds), move('type', 'kind')];
const certificate: readonly Op[] = [part('tls.crt', 'certs'), part('tls.key', 'key', { hidden: true })];
const basicAuth: readonly Op[] = [part('username', 'username'), part('password', 'password', { hidden: true })];
const sshAuth: readonly Op[] = [part('ssh-privatekey', 'privateKey', { hidden: true })];

export const secretTypes: readonly LiveType[] = [
  liveType({ ...shared, id: 'namespacedSecret', ops: plain }),
  ofKind('namespacedCertificate', 'kubernetes.io/tls', ...certificate),
  ofKind('namespacedBasicAuth', 'kubernetes.io/basic-auth', ...basicAuth),
  ofKind('namespacedSshAuth', 'kubernetes.io/ssh-auth', ...sshAuth),
  ofKind('namespacedDockerCredential', 'kubernetes.io/dockerconfigjson', registries),
  ofKind(
    'namespacedServiceAccountToken',
    'kubernetes.io/service-account-token',
    account('accountName', 'kubernetes.io/service-account.name'),
    account('accountUid', 'kubernetes.io/service-account.uid'),
    part('ca.crt', 'caCrt'),
    part('token', 'token', { hidden: true }),
  ),
];

/** The same of a whole project: kept by the server, which copies them into the project's namespaces. */
export const projectSecretTypes: readonly LiveType[] = [
  liveType({ ...shared, id: 'secret', ops: plain }),
  ofKind('certificate', 'kubernetes.io/tls', ...certificate),
  ofKind('basicAuth', 'kubernetes.io/basic-auth', ...basicAuth),
  ofKind('sshAuth', 'kubernetes.io/ssh-auth', ...sshAuth),
  ofKind('dockerCredential', 'kubernetes.io/dockerconfigjson', registries),
];
