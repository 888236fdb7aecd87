/**
 * Takes secrets out of parsed JSON before it is written down: by the names of fields, by the kinds that hold secrets, and by
 * the look of texts. It errs on the side of taking out too much: what was written can't be taken back.
 */
import { redactPath } from '../clusters/registration-token.ts';

export const redacted = '[redacted]';
const tooDeep = '[omitted: too deep]';
const maxDepth = 48;
const maxText = 8 * 1024;

/** On names in lower case without separators. */
const secretName =
  /passw(?:or)?d|passphrase|pass$|pwd|token|secret|kubeconfig|credential|privatekey|accesskey|apikey|sshkey|clientkey|keydata$|spkey|spcert|certificate$|authorization|cookie|authheader|signature|manifesturl|^answers$|^valuesyaml$|^yaml(?:output)?$|lastappliedconfiguration$|^dockerconfig/;
/** Names of that kind that only point to a secret. */
const harmless = new Set([
  'imagepullsecrets',
  'secretkeyref',
  'secretname',
  'secretnamespace',
  'secretref',
  'tokenid',
  'tokenname',
]);

export function isSecretName(name: string): boolean {
  const plain = name.replace(/[-_.\s]/g, '').toLowerCase();
  return secretName.test(plain) && !harmless.has(plain);
}

const holdsData = new Set([
  'secret',
  'configmap',
  'namespacedsecret',
  'dockercredential',
  'namespaceddockercredential',
  'basicauth',
  'namespacedbasicauth',
  'sshauth',
  'namespacedsshauth',
  'cloudcredential',
]);
const dataFields = new Set(['data', 'stringdata', 'binarydata']);

type Fields = Readonly<Record<string, unknown>>;

/** The value without secrets; the one given is left as it is. */
export function redactJson(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return tooDeep;
  if (Array.isArray(value)) return value.map(item => redactJson(item, depth + 1));
  const fields = value as Fields;
  const ofSecret = [fields['kind'], fields['type'], fields['baseType']].some(
    kind => typeof kind === 'string' && holdsData.has(kind.toLowerCase()),
  );
  const named = namesSecret(fields);
  return Object.fromEntries(
    Object.entries(fields).map(([name, item]) => {
      const lower = name.toLowerCase();
      if (ofSecret && dataFields.has(lower)) return [name, redacted];
      if (named && lower.startsWith('value')) return [name, redacted];
      return [name, redactField(name, item, depth)];
    }),
  );
}

function redactField(name: string, value: unknown, depth: number): unknown {
  // A flag such as mustChangePassword tells nothing.
  if (typeof value === 'boolean' || value === null || value === '') return value;
  if (isSecretName(name)) return redacted;
  if (typeof value === 'string' && /command$/i.test(name)) return redacted;
  // Of a chart; lists of that name are those of selectors.
  if (/^values$/i.test(name) && !Array.isArray(value)) return redacted;
  return redactJson(value, depth + 1);
}

/** `{name: DB_PASSWORD, value: …}` as in containers and settings, and a step of a JSON Patch (RFC 6902) to such a field. */
function namesSecret(fields: Fields): boolean {
  if (!('value' in fields || 'values' in fields)) return false;
  for (const name of [fields['name'], fields['id'], fields['key']])
    if (typeof name === 'string' && isSecretName(name)) return true;
  const { op, path } = fields;
  if (typeof op !== 'string' || typeof path !== 'string') return false;
  return path.split('/').some(part => isSecretName(part) || dataFields.has(part.toLowerCase()));
}

const wholeSecret =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|\bkind:\s*["']?(?:Secret|Config)\b|\b(?:client-key-data|token|password):\s*\S/;
const textSecrets: readonly (readonly [RegExp, string])[] = [
  // A token of ours, and one of Kubernetes' (RFC 7519).
  [/\b([a-z0-9][a-z0-9.-]{0,120}:)[a-z0-9]{54}\b/g, '$1***'],
  [/\beyJ[\w-]{8,2048}\.[\w-]{8,4096}\.[\w-]*/g, '***'],
  [/\b(bearer|basic)\s+[\w.~+/:=-]{8,}/gi, '$1 ***'],
  [/(:\/\/[^/\s:@]*:)[^/\s@]+@/g, '$1***@'],
];

/** A text with what looks like a credential taken out; JSON within it is treated as JSON. */
export function redactText(text: string, depth = 0): string {
  if (text.length > maxText) return `[omitted: ${text.length} characters]`;
  if (/^\s*[[{]/.test(text)) {
    const inner = parsed(text);
    if (inner !== undefined) return JSON.stringify(redactJson(inner, depth + 1));
  }
  if (wholeSecret.test(text)) return redacted;
  return redactPath(textSecrets.reduce((rest, [pattern, to]) => rest.replace(pattern, to), redactQuery(text)));
}

/** What stands in the queries of addresses under a secret's name; the answer to a sign-in elsewhere is one as well. */
export function redactQuery(text: string): string {
  return text.replace(/([?&;])([^=?&;#\s]{1,128})=([^&;#\s"'<>]*)/g, (whole, before: string, name: string) => {
    const plain = decodeName(name);
    return isSecretName(plain) || signInAnswer.test(plain) ? `${before}${name}=${redacted}` : whole;
  });
}

const signInAnswer = /^(?:code|state|samlresponse|samlrequest)$/i;

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
