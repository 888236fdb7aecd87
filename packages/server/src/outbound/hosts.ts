/**
 * Which hosts may be asked through the server: those of active drivers, and those that an admin has added. A pattern is a name, with
 * `*.` in front for any subdomain or `%` for one label; without a port it means 443.
 */
import { invalid } from '@drover/base';
import type { Caches } from '../resources/index.ts';
import type { Settings } from '../settings.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const pattern = new RegExp(`^(?:\\*\\.)?(?:(?:${label}|%)\\.)+${label}(?::\\d{1,5})?$`);
const address = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;
const maxPatterns = 500;

/** Throws Invalid naming the field where one is no host, or would match any. */
export function requireHostPatterns(field: string, patterns: readonly string[]): void {
  if (patterns.length > maxPatterns) throw invalid(field, `must be at most ${maxPatterns}`, 'MaxLimitExceeded');
  const bad = patterns.find(one => typeof one !== 'string' || !(pattern.test(one) || address.test(one)));
  if (bad !== undefined)
    throw invalid(
      field,
      `"${bad}" must be a host such as api.example.com, *.example.com or ec2.%.example.com`,
      'InvalidFormat',
    );
}

/** `host:port`, always with the port. */
const withPort = (host: string) => (/:\d+$/.test(host) ? host : `${host}:443`);

export function matchesHost(one: string, host: string): boolean {
  const [wanted, given] = [withPort(one), withPort(host)];
  if (address.test(one)) return wanted === given;
  const text = wanted
    .split('')
    .map(char => (char === '%' ? label : char === '.' ? '\\.' : char))
    .join('')
    .replace(/^\*\\\./, `(?:${label}\\.)+`);
  return new RegExp(`^${text}$`).test(given);
}

export interface HostDeps {
  readonly caches: Pick<Caches, 'nodeDriver' | 'kontainerDriver'>;
  readonly settings: Pick<Settings, 'get'>;
}

export const parseList = (text: string): string[] =>
  text
    .split(',')
    .map(one => one.trim().toLowerCase())
    .filter(one => one !== '');

/** The hosts of a cloud, while its driver is active. */
export function hostsOf({ caches }: Pick<HostDeps, 'caches'>, driver: string): readonly string[] {
  const { spec } = caches.nodeDriver.get(driver) ?? {};
  return spec?.active ? (spec.whitelistDomains ?? []) : [];
}

/** Whether anybody may ask this host. */
export function isHostAllowed(deps: HostDeps, host: string): boolean {
  const added = parseList(deps.settings.get('whitelist-domain'));
  const ofDrivers = [...deps.caches.nodeDriver.all()].flatMap(({ metadata }) => hostsOf(deps, metadata.name));
  const ofWays = [...deps.caches.kontainerDriver.all()].flatMap(({ spec }) =>
    spec?.active ? (spec.whitelistDomains ?? []) : [],
  );
  return [...added, ...ofDrivers, ...ofWays].some(one => matchesHost(one, host));
}
