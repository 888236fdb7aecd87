/** What a GitHub provider is configured to be: github.com or an Enterprise host, with the OAuth application to use there. */
import { invalid, isDnsSubdomain, Secret } from '@drover/base';
import { type ConfigFields, required, text } from './config-fields.ts';

export interface GithubSettings {
  /** Names principals and tokens: `github`. */
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Where people sign in, without a slash behind it. */
  readonly web: string;
  /** Where the API is asked, without a slash behind it. */
  readonly api: string;
  readonly certificate?: string;
}

/**
 * Throws Invalid naming the field. `host` is the one that the browser came by: some servers have an application for each.
 * As in the original, `additionalClientIds` holds the secrets of those, by client id.
 */
export function githubSettings(name: string, fields: ConfigFields, host?: string): GithubSettings {
  const hostname = text(fields, 'hostname') ?? 'github.com';
  const [domain = '', port, ...more] = hostname.split(':');
  if (!isDnsSubdomain(domain.toLowerCase()) || more.length > 0 || (port !== undefined && !/^\d{1,5}$/.test(port)))
    throw invalid('hostname', 'must be a host, such as github.com', 'InvalidFormat');
  if (fields['tls'] === false) throw invalid('tls', 'must be true: tokens are not sent in the clear', 'InvalidOption');
  const web = `https://${hostname}`;
  const own = clientFor(fields, host);
  return {
    name,
    ...own,
    web,
    api: domain.toLowerCase() === 'github.com' ? 'https://api.github.com' : `${web}/api/v3`,
    certificate: text(fields, 'certificate'),
  };
}

function clientFor(fields: ConfigFields, host: string | undefined): Pick<GithubSettings, 'clientId' | 'clientSecret'> {
  const other = host === undefined ? undefined : mapOf(fields, 'hostnameToClientId')[host];
  const otherSecret = other === undefined ? undefined : mapOf(fields, 'additionalClientIds')[other];
  if (other !== undefined && otherSecret !== undefined)
    return { clientId: other, clientSecret: new Secret(otherSecret) };
  return { clientId: required(fields, 'clientId'), clientSecret: new Secret(required(fields, 'clientSecret')) };
}

function mapOf(fields: ConfigFields, name: string): Record<string, string> {
  const value = fields[name];
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each === 'string' && each !== ''));
}
