/**
 * How a request gets its credentials: the client names one of his by id, and how it is to be shown; the server takes what is secret
 * from where it is kept. It goes to the hosts of its own cloud and to no other, whoever asks.
 */
import { clouds } from '@drover/api';
import { badRequest, forbidden, invalid, Secret } from '@drover/base';
import type { ApiView } from '../api/behaviour.ts';
import { findCredential, kindOf } from '../api/cloud-credentials.ts';
import { hostsOf, matchesHost } from './hosts.ts';

export type Way = 'awsv4' | 'basic' | 'bearer' | 'digest';

export interface CredentialUse {
  readonly way: Way;
  readonly user: string;
  readonly secret: Secret;
}

const ways: ReadonlySet<string> = new Set<Way>(['awsv4', 'basic', 'bearer', 'digest']);
const maxLength = 1024;

/** Reads `<way> credID=<id> [usernameField=<field>] passwordField=<field>` for that host; NotFound where the credential is another's. */
export function useCredential(view: ApiView, header: string, host: string): CredentialUse {
  if (header.length > maxLength) throw badRequest('X-API-CattleAuth-Header is too long');
  const [first = '', ...terms] = header.trim().split(/\s+/);
  const way = first.toLowerCase();
  if (!ways.has(way))
    throw invalid('X-API-CattleAuth-Header', `must begin with one of ${[...ways].join(', ')}`, 'InvalidOption');
  const params = new Map(terms.map(term => [term.split('=')[0]!.toLowerCase(), term.slice(term.indexOf('=') + 1)]));
  const id = params.get('credid') ?? '';
  if (id === '') throw invalid('X-API-CattleAuth-Header', 'must name a credential as credID', 'MissingRequired');
  const { spec = {} } = findCredential(view, id);
  const kind = kindOf(spec);
  const cloud = clouds.find(({ field }) => field === kind);
  // Whoever may ask a host must not be able to have another cloud's secrets sent to it.
  if (!cloud || !hostsOf(view.deps, cloud.id).some(one => matchesHost(one, host)))
    throw forbidden(`the credential "${id}" is not for ${host}`, { kind: 'cloudCredential' });
  const values = spec[cloud.field as keyof typeof spec] as unknown as Readonly<Record<string, string>>;
  const read = (param: string, fallback?: string) => {
    const field = params.get(param.toLowerCase()) ?? fallback ?? '';
    const value = Object.hasOwn(values, field) && field in cloud.fields ? values[field] : undefined;
    if (typeof value !== 'string' || value === '')
      throw invalid(param, `must name a field of ${cloud.field} that has a value`, 'MissingRequired');
    return value;
  };
  if (way === 'awsv4')
    return { way, user: read('usernameField', 'accessKey'), secret: new Secret(read('passwordField', 'secretKey')) };
  const user = way === 'bearer' ? '' : read('usernameField');
  return { way: way as Way, user, secret: new Secret(read('passwordField')) };
}
