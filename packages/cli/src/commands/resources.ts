/** tokens, users, settings: the small commands that list, make, change and delete v3 resources. */
import { invalid } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, findCluster, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { alignColumns, type Column, printData, printList } from '../output.ts';
import { askPassword, askYes, readStdin } from '../prompt.ts';
import { findUser, requireRole } from './find.ts';
import { ageColumn, column, tellDone } from './shown.ts';

async function confirmed(type: string, name: string, flags: { readonly yes?: boolean }): Promise<boolean> {
  return flags.yes === true || askYes(say('deleteAsk', { type, name }), '--yes');
}

async function remove(context: Context, type: string, resource: V3Resource): Promise<void> {
  await context.client.delete(resource);
  process.stderr.write(`${say('deleted', { type, name: resource.name ?? resource.id })}\n`);
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90m`, `12h`, `30d` in milliseconds; throws Invalid naming the flag. */
export function parseDuration(text: string, flag: string): number {
  const match = /^(\d+)(s|m|h|d)$/.exec(text);
  const ms = match && Number(match[1]) * units[match[2]!]!;
  if (!ms) throw invalid(flag, `"${text}" must be a number above 0 with s, m, h or d, such as 12h`);
  return ms;
}

export async function listTokens(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const columns: Column<V3Resource>[] = [
    { title: ' ', value: row => (row['current'] === true ? '*' : ' ') },
    column('ID', 'id'),
    column('DESCRIPTION', 'description'),
    column('CLUSTER', 'clusterId'),
    ageColumn('AGE', 'created'),
    { title: 'EXPIRES', value: row => (row['expired'] === true ? 'expired' : (row['expiresAt'] as string) || 'never') },
    ageColumn('LAST USED', 'lastUsedAt'),
  ];
  await printList(await context.client.list('tokens'), columns, { format: context.format, none: say('nothing') });
}

export async function createToken(
  flags: GlobalFlags & { readonly description?: string; readonly ttl?: string },
): Promise<void> {
  await using context = await openContext(flags);
  const ttl = flags.ttl === undefined ? 0 : parseDuration(flags.ttl, '--ttl');
  const clusterId = flags.cluster === undefined ? undefined : (await findCluster(context, flags.cluster)).id;
  const made = await context.client.create('tokens', {
    type: 'token',
    description: flags.description ?? '',
    ttl,
    clusterId,
  });
  const end = String(made['expiresAt'] || say('never'));
  if (context.format === 'table') process.stderr.write(`${say('tokenOnce', { end })}\n`);
  await tellDone(context, made, String(made['token']));
}

export async function deleteToken(id: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  await remove(context, 'token', await context.client.get(`/v3/tokens/${encodeURIComponent(id)}`));
}

export async function listUsers(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const columns: Column<V3Resource>[] = [
    column('ID', 'id'),
    column('USERNAME', 'username'),
    column('NAME', 'name'),
    { title: 'ENABLED', value: row => row['enabled'] !== false },
    ageColumn('AGE', 'created'),
  ];
  await printList(await context.client.list('users'), columns, { format: context.format, none: say('nothing') });
}

async function newPassword(flags: { readonly passwordStdin?: boolean }): Promise<string> {
  if (flags.passwordStdin) return readStdin();
  const first = await askPassword(say('password'), '--password-stdin');
  if (first !== (await askPassword(say('repeatPassword'), '--password-stdin')))
    throw invalid('password', say('passwordsDiffer'));
  return first;
}

interface NewUserFlags extends GlobalFlags {
  readonly name?: string;
  readonly passwordStdin?: boolean;
  readonly mustChange?: boolean;
  readonly globalRole?: string;
}

/** Makes the user and, as the UI does, gives him a global role: without one he may not even sign in to see himself. */
export async function createUser(username: string, flags: NewUserFlags): Promise<void> {
  await using context = await openContext(flags);
  const role = flags.globalRole ?? 'user';
  await requireRole(context, role, { plural: 'globalRoles', flag: '--global-role' });
  const password = await newPassword(flags);
  const body = {
    type: 'user',
    username,
    name: flags.name ?? username,
    password,
    mustChangePassword: flags.mustChange ?? false,
    enabled: true,
  };
  const user = await context.client.create('users', body);
  await context.client.create('globalRoleBindings', { type: 'globalRoleBinding', globalRoleId: role, userId: user.id });
  await tellDone(context, user, `${user.id} ${username} (${role})`);
}

export async function deleteUser(wanted: string, flags: GlobalFlags & { readonly yes?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  const user = await findUser(context, wanted);
  if (await confirmed('user', String(user['username'] ?? user.id), flags)) await remove(context, 'user', user);
}

export async function setPassword(
  wanted: string,
  flags: GlobalFlags & { readonly passwordStdin?: boolean },
): Promise<void> {
  await using context = await openContext(flags);
  const user = await findUser(context, wanted);
  await context.client.action(user, 'setpassword', { newPassword: await newPassword(flags) });
  process.stderr.write(`${say('passwordChanged')}\n`);
}

export async function enableUser(wanted: string, enabled: boolean, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const user = await context.client.update(await findUser(context, wanted), { enabled });
  await tellDone(context, user, say('saved'));
}

/** Without a user: everybody whom a provider elsewhere vouches for. */
export async function refreshUser(wanted: string | undefined, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const action = 'refreshauthprovideraccess';
  if (wanted === undefined) await context.client.request('POST', `/v3/users?action=${action}`, {});
  else await context.client.action(await findUser(context, wanted), action);
  process.stderr.write(`${say('saved')}\n`);
}

export async function listSettings(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const columns = [column('NAME', 'name'), column('VALUE', 'value'), column('SOURCE', 'source')];
  const rows = await context.client.list('settings');
  const oneLine = rows.map(row => ({ ...row, value: String(row['value'] ?? '').split('\n')[0] }));
  await printList(context.format === 'table' ? oneLine : rows, columns, {
    format: context.format,
    none: say('nothing'),
  });
}

export async function getSetting(name: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const setting = await context.client.get(`/v3/settings/${encodeURIComponent(name)}`);
  await tellDone(context, setting, String(setting['value'] ?? ''));
}

export async function setSetting(name: string, value: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const setting = await context.client.get(`/v3/settings/${encodeURIComponent(name)}`);
  await tellDone(context, await context.client.update(setting, { value }), say('saved'));
}

/** Shown once: the server keeps a hash of it. */
export async function makeScimToken(provider: string, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const path = `/v1-scim-token/${encodeURIComponent(provider)}`;
  const made = await context.client.request<{ readonly token: string; readonly url: string }>('POST', path, {});
  if (context.format !== 'table') return printData(made, context.format);
  process.stdout.write(
    alignColumns([
      ['URL', made.url],
      ['Token', made.token],
    ]),
  );
}
