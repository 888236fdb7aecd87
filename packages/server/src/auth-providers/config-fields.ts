/** Fields of a provider's authConfig, read one by one: each names itself where it is missing or wrong. */
import { invalid, Secret } from '@drover/base';

export type ConfigFields = Readonly<Record<string, unknown>>;

/** Trimmed; undefined where it is empty or no text. */
export function text(fields: ConfigFields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Throws Invalid (MissingRequired) where it is not set. */
export function required(fields: ConfigFields, name: string): string {
  const value = text(fields, name);
  if (value === undefined) throw invalid(name, 'must be set', 'MissingRequired');
  return value;
}

export function secret(fields: ConfigFields, name: string): Secret | undefined {
  const value = text(fields, name);
  return value === undefined ? undefined : new Secret(value);
}

/** Throws Invalid for what is no https address, and where it is needed for none. */
export function httpsUrl(fields: ConfigFields, name: string, needed = false): string | undefined {
  const value = needed ? required(fields, name) : text(fields, name);
  if (value === undefined) return undefined;
  if (!URL.canParse(value) || new URL(value).protocol !== 'https:')
    throw invalid(name, 'must be an https address', 'InvalidFormat');
  return value;
}
