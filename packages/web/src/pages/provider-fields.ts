/**
 * The fields of a sign-in provider's configuration as the server's schema of its type declares them: which are needed first, what kind
 * of input each has, and what a filled-in form says. Fields that all providers have in common are not among them.
 */
import { textAt, type V3Resource } from '../net/objects.ts';

export interface SchemaField {
  readonly type: string;
  readonly required?: boolean;
  readonly update?: boolean;
  readonly default?: unknown;
}

export interface ProviderField extends SchemaField {
  readonly name: string;
  readonly input: 'text' | 'number' | 'check' | 'secret' | 'lines' | 'pem';
}

const general = new Set([
  ...['accessMode', 'allowedPrincipalIds', 'annotations', 'created', 'creatorId', 'enabled', 'labels', 'name'],
  ...['ownerReferences', 'removed', 'status', 'type', 'uuid', 'logoutAllSupported'],
]);
/** Not demanded, but wanted by nearly everybody. */
const usual = ['port', 'tls', 'starttls', 'certificate', 'groupSearchBase', 'hostname', 'scope', 'groupsClaim'];
const first = [
  ...['servers', 'port', 'tls', 'starttls', 'certificate', 'issuer', 'hostname', 'clientId', 'clientSecret'],
  ...['serviceAccountUsername', 'serviceAccountDistinguishedName', 'serviceAccountPassword'],
  ...['userSearchBase', 'groupSearchBase'],
];
const long = new Set([
  ...['certificate', 'spCert', 'spKey', 'privateKey', 'idpMetadataContent', 'oauthCredential'],
  'serviceAccountCredential',
]);

export function providerFields(fields: Readonly<Record<string, SchemaField>>): {
  readonly main: readonly ProviderField[];
  readonly more: readonly ProviderField[];
} {
  const all = Object.entries(fields)
    .filter(([name, { type, update }]) => !general.has(name) && update !== false && !type.startsWith('map['))
    .map(([name, field]) => ({ ...field, name, input: inputOf(name, field) }));
  const isMain = ({ name, required, default: fallback }: ProviderField) =>
    usual.includes(name) || (required === true && fallback === undefined);
  const rank = ({ name }: ProviderField) => (first.includes(name) ? first.indexOf(name) : first.length);
  return {
    main: all.filter(isMain).sort((a, b) => rank(a) - rank(b)),
    more: all.filter(field => !isMain(field)),
  };
}

function inputOf(name: string, { type }: SchemaField): ProviderField['input'] {
  if (type === 'boolean') return 'check';
  if (type === 'int') return 'number';
  if (type.startsWith('array[')) return 'lines';
  if (long.has(name)) return 'pem';
  return type === 'password' ? 'secret' : 'text';
}

/** What stands in the form to begin with. Secrets are shown to nobody. */
export function shownValue(config: V3Resource, { name, input, type, default: fallback }: ProviderField): string {
  if (input === 'secret' || type === 'password') return '';
  const value = config[name] ?? fallback;
  return Array.isArray(value) ? value.join('\n') : value === undefined ? '' : textAt({ value }, 'value');
}

/** The configuration that the form says. A secret that was left empty is not in it: the one that is there stays. */
export function configOf(form: FormData, fields: readonly ProviderField[]): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const { name, input, type } of fields) {
    const text = String(form.get(name) ?? '').trim();
    if (input === 'check') config[name] = form.has(name);
    else if (type === 'password') {
      if (text !== '') config[name] = text;
    } else if (input === 'number') {
      if (text !== '') config[name] = Number(text);
    } else if (input === 'lines') {
      config[name] = text.split(/[\s,]+/).filter(Boolean);
    } else {
      config[name] = text;
    }
  }
  return config;
}

/** Under which name a test's input carries the configuration. */
export function configKey(id: string): string {
  if (id === 'activedirectory') return 'activeDirectoryConfig';
  if (id === 'openldap' || id === 'freeipa') return 'ldapConfig';
  if (id.startsWith('github')) return 'githubConfig';
  if (id === 'googleoauth') return 'googleOauthConfig';
  return id === 'azuread' ? 'config' : 'oidcConfig';
}

/** Only an address of the web is ever made a link, whatever a configuration leads to. */
export function webAddress(text: unknown): string | undefined {
  return typeof text === 'string' && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}
