/** Sign-in providers: what is configured, who is let in, and switching them on and off. */
import { readFile } from 'node:fs/promises';
import { invalid } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { type Column, printData, printList } from '../output.ts';
import { askPassword, readStdin } from '../prompt.ts';

const columns: Column<V3Resource>[] = [
  { title: 'NAME', value: row => row.id },
  { title: 'TYPE', value: row => row.type },
  { title: 'ENABLED', value: row => row['enabled'] === true },
  { title: 'ACCESS', value: row => row['accessMode'] as string | undefined },
];

export async function listProviders(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const rows = await context.client.list('authConfigs');
  await printList(rows, columns, { format: context.format, none: say('nothing') });
}

async function findProvider(context: Context, wanted: string): Promise<V3Resource> {
  const all = await context.client.list('authConfigs');
  const found = all.find(({ id }) => id === wanted);
  if (!found) throw invalid('provider', `"${wanted}" must be one of ${all.map(({ id }) => id).join(', ')}`);
  return found;
}

export async function describeProvider(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const found = await findProvider(context, wanted);
  // Its fields differ with its kind, so there is no table of them.
  await printData(found, context.format === 'table' ? 'yaml' : context.format);
}

export async function disableProvider(wanted: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  await context.client.action(await findProvider(context, wanted), 'disable');
  process.stderr.write(`${say('saved')}\n`);
}

interface ConfigFlags extends GlobalFlags {
  readonly file?: string;
  readonly accessMode?: string;
  readonly allow?: readonly string[];
}

/** Fields of a YAML or JSON file, and what flags say besides. */
async function configOf({ file, accessMode, allow }: ConfigFlags): Promise<Record<string, unknown>> {
  return {
    ...(file === undefined ? {} : await readFields(file)),
    ...(accessMode === undefined ? {} : { accessMode }),
    ...(allow === undefined ? {} : { allowedPrincipalIds: allow }),
  };
}

async function readFields(file: string): Promise<Record<string, unknown>> {
  const text =
    file === '-'
      ? await readStdin()
      : await readFile(file, 'utf8').catch(error => {
          throw invalid('--file', `${file} can not be read: ${error.message}`);
        });
  const { parse } = await import('yaml');
  const fields: unknown = parse(text);
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw invalid('--file', `${file} must hold fields, such as "issuer: https://…"`);
  return fields as Record<string, unknown>;
}

export async function setProvider(wanted: string, flags: ConfigFlags): Promise<void> {
  await using context = await openContext(flags);
  const change = await configOf(flags);
  if (Object.keys(change).length === 0) throw invalid('auth-providers set', 'needs --file, --access-mode or --allow');
  await context.client.update(await findProvider(context, wanted), change);
  process.stderr.write(`${say('saved')}\n`);
}

interface EnableFlags extends ConfigFlags {
  readonly username?: string;
  readonly passwordStdin?: boolean;
}

/** A directory is tried with somebody's name and password; the others are tried in a browser only, and here as far as they answer. */
export async function enableProvider(wanted: string, flags: EnableFlags): Promise<void> {
  await using context = await openContext(flags);
  const found = await findProvider(context, wanted);
  const config = await configOf(flags);
  const isDirectory = /^(?:activeDirectory|openLdap|freeIpa)Config$/.test(found.type ?? '');
  if (!isDirectory) await context.client.update(found, { ...config, enabled: true });
  else {
    if (flags.username === undefined)
      throw invalid('--username', 'is needed: somebody in the directory to try it with');
    const password = flags.passwordStdin ? await readStdin() : await askPassword(say('password'), '--password-stdin');
    const field = found.type === 'activeDirectoryConfig' ? 'activeDirectoryConfig' : 'ldapConfig';
    const input = { [field]: { ...found, ...config }, username: flags.username, password, enabled: true };
    await context.client.action(found, 'testAndApply', input);
  }
  process.stderr.write(`${say('saved')}\n`);
}
