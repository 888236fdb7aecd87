/**
 * Takes the secrets out of a `rancherKubernetesEngineConfig` and puts them back: the config is shown to all who see the cluster, its
 * secrets to nobody. A host or registry is known by its address, so that a secret never follows to another one.
 */

type Json = Readonly<Record<string, unknown>>;

export interface SplitConfig {
  /** Without its secrets. */
  readonly config: Json;
  /** JSON of each, by its place. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Options that hold a secret, in lower case and without `-` and `_`; those after a dot only there. */
const secretOptions: ReadonlySet<string> = new Set([
  ...['sshkey', 'secretkey', 'password', 'customconfig', 'customcloudprovider', 'cloudconfig', 'weavepassword'],
  ...['aadclientsecret', 'aadclientcertpassword', 'awssecretaccesskey', 'awssessiontoken', 'apicuserkey', 'token'],
  ...['webhook.configfile', 'etcd.key'],
]);

const spelling = (key: string): string => key.toLowerCase().replaceAll(/[-_]/g, '');

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

/** What is left out or empty stays as it was: nobody can send back what he was never shown. */
export function splitSecrets(given: Json, before: Readonly<Record<string, string>> = {}): SplitConfig {
  const secrets: Record<string, string> = {};
  const strip = (value: unknown, path: string, parent: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => strip(item, `${path}/${nameOf(item, index)}`, parent));
    if (!isObject(value)) return value;
    for (const place of Object.keys(before)) {
      const name = place.slice(path.length + 1);
      if (place.startsWith(`${path}/`) && !name.includes('/')) secrets[place] = before[place]!;
    }
    const out: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) {
      const name = spelling(key);
      if (!secretOptions.has(name) && !secretOptions.has(`${parent}.${name}`))
        out[key] = strip(inner, `${path}/${key}`, name);
      else if (!isEmpty(inner)) secrets[`${path}/${key}`] = JSON.stringify(inner);
    }
    return out;
  };
  return { config: strip(given, '', '') as Json, secrets };
}

/** The whole config, for the engine alone. */
export function joinSecrets({ config, secrets }: SplitConfig): Json {
  const fill = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => fill(item, `${path}/${nameOf(item, index)}`));
    if (!isObject(value)) return value;
    const out: Record<string, unknown> = {};
    for (const [key, inner] of Object.entries(value)) out[key] = fill(inner, `${path}/${key}`);
    for (const [place, text] of Object.entries(secrets)) {
      const name = place.slice(path.length + 1);
      if (place.startsWith(`${path}/`) && !name.includes('/')) out[name] = JSON.parse(text);
    }
    return out;
  };
  return fill(config, '') as Json;
}

/** What an element of a list is known by. */
function nameOf(item: unknown, index: number): string {
  const name = isObject(item) ? (item['address'] ?? item['url']) : undefined;
  return typeof name === 'string' && name !== '' ? encodeURIComponent(name) : String(index);
}
