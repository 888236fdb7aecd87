/**
 * Secrets at rest in etcd: the EncryptionConfiguration that API servers read, and the way from one to another while several of them
 * run: first all can read what the new one writes, then it writes and everything is written anew, then the old one goes.
 */
import { createHash, randomBytes } from 'node:crypto';
import { invalid } from '@drover/base';
import type { ClusterSpec } from '../config/spec.ts';

type Provider = Readonly<Record<string, unknown>>;

interface Group {
  readonly resources: readonly string[];
  readonly providers: readonly Provider[];
}

interface Configuration {
  readonly resources: readonly Group[];
}

/** On the way to another configuration; undefined: to none. */
export interface EncryptionChange {
  readonly phase: 'read' | 'write';
  readonly to?: string;
}

export interface Encryption {
  /** The text that all API servers have had, or none. */
  readonly encryption?: string;
  readonly encryptionChange?: EncryptionChange;
}

const identity: Provider = { identity: {} };

/** The text that the file asks for, as far as it stands; `rotate`: with a new key. */
export function wantedEncryption(
  spec: ClusterSpec,
  kept: string | undefined,
  rotate: boolean = false,
): string | undefined {
  const { enabled, customConfig } = spec.apiserver.secretsEncryption;
  const option = 'services.kube-api.secrets_encryption_config';
  if (!enabled) {
    if (rotate) throw invalid(`${option}.enabled`, 'is not true: there is no key to change');
    return undefined;
  }
  if (customConfig !== undefined) {
    if (rotate) throw invalid(`${option}.custom_config`, 'has the keys: put a new one there, as the first, and run up');
    return format(customConfig as Configuration);
  }
  return kept !== undefined && isOurs(kept) && !rotate ? kept : newKey();
}

/** What has to be done to get there; a change that is under way is gone on with first. */
export function planEncryption(
  spec: ClusterSpec,
  state: Encryption,
  options: { readonly rotate?: boolean; readonly isNew?: boolean } = {},
): Encryption {
  if (state.encryptionChange) return state;
  const to = wantedEncryption(spec, state.encryption, options.rotate);
  if (to === state.encryption) return { encryption: to };
  // Nothing was ever written.
  if (options.isNew) return { encryption: to };
  return { encryption: state.encryption, encryptionChange: { phase: 'read', to } };
}

export function nextEncryption({ encryption, encryptionChange }: Encryption): Encryption {
  if (encryptionChange?.phase === 'read')
    return { encryption, encryptionChange: { ...encryptionChange, phase: 'write' } };
  return { encryption: encryptionChange ? encryptionChange.to : encryption };
}

/** The text for API servers at this moment. */
export function encryptionText({ encryption, encryptionChange }: Encryption): string | undefined {
  if (!encryptionChange) return encryption;
  const { phase, to } = encryptionChange;
  return phase === 'read' ? merge(encryption, to) : merge(to, encryption);
}

/** The same for two texts by which Secrets are written in the same way. */
export function writerDigest(text: string | undefined): string {
  const [writer = identity] = text === undefined ? [] : providersOf(parse(text), 'secrets');
  const [kind = '', options] = Object.entries(writer)[0] ?? [];
  const { keys } = (options ?? {}) as { keys?: readonly unknown[] };
  const what = keys ? { [kind]: { keys: keys.slice(0, 1) } } : writer;
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
}

/** Of a cluster that has never had a key. */
export const plainDigest: string = writerDigest(undefined);

/** What else than Secrets a text is for: nothing writes that anew. */
export function otherResources(text: string | undefined): string[] {
  return text === undefined
    ? []
    : parse(text)
        .resources.flatMap(({ resources }) => resources)
        .filter(name => name !== 'secrets');
}

function newKey(): string {
  const keys = [{ name: `key-${randomBytes(4).toString('hex')}`, secret: randomBytes(32).toString('base64') }];
  return format({ resources: [{ resources: ['secrets'], providers: [{ aescbc: { keys } }, identity] }] });
}

function isOurs(text: string): boolean {
  const [group, ...others] = parse(text).resources;
  const [first, second, ...more] = group?.providers ?? [];
  const shape = [first?.['aescbc'] !== undefined, second?.['identity'] !== undefined, more.length, others.length];
  return group?.resources.join() === 'secrets' && JSON.stringify(shape) === '[true,true,0,0]';
}

const parse = (text: string): Configuration => JSON.parse(text) as Configuration;

function format(configuration: Configuration): string {
  const whole = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: configuration.resources,
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}

/** Writes as the first does, reads what either has written. The same prefix twice is allowed: keys are tried one after the other. */
function merge(first: string | undefined, second: string | undefined): string | undefined {
  if (first === undefined && second === undefined) return undefined;
  const [a, b] = [first, second].map(text => (text === undefined ? { resources: [] } : parse(text)));
  const names = [...new Set([a!, b!].flatMap(({ resources }) => resources.flatMap(group => group.resources)))];
  // Those that name one resource have to stand before those that stand for many.
  const rank = (name: string) => (name === '*.*' ? 2 : name.startsWith('*.') ? 1 : 0);
  const groups = names
    .sort((x, y) => rank(x) - rank(y))
    .map(name => ({ resources: [name], providers: unique([...providersOf(a!, name), ...providersOf(b!, name)]) }));
  // One group again where it is one: a KMS provider may stand once only.
  const same = new Set(groups.map(({ providers }) => JSON.stringify(providers)));
  return format({ resources: same.size === 1 ? [{ ...groups[0]!, resources: names }] : groups });
}

function providersOf({ resources }: Configuration, name: string): readonly Provider[] {
  const group = name.includes('.') ? `*.${name.slice(name.indexOf('.') + 1)}` : '*.';
  for (const wanted of [name, group, '*.*'])
    for (const one of resources) if (one.resources.includes(wanted)) return one.providers;
  return [identity];
}

function unique(providers: readonly Provider[]): Provider[] {
  const found = new Map(providers.map(provider => [JSON.stringify(provider), provider]));
  return [...found.values()];
}
