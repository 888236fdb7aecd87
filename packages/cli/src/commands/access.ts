/** roles, groups and sessions: what may be given to whom, and who is signed in. */
import { invalid, notFound } from '@drover/base';
import type { V3Resource } from '../client.ts';
import { type Context, type GlobalFlags, openContext } from '../context.ts';
import { say } from '../messages.ts';
import { type Column, printData, printList } from '../output.ts';
import { askYes } from '../prompt.ts';
import { ageColumn, column } from './shown.ts';

const contexts = ['global', 'cluster', 'project'] as const;

interface RoleFlags extends GlobalFlags {
  readonly context?: string;
}

const pluralOf = (context: string) => (context === 'global' ? 'globalRoles' : 'roleTemplates');

async function allRoles(context: Context, wanted?: string): Promise<V3Resource[]> {
  if (wanted !== undefined && !contexts.some(known => known === wanted))
    throw invalid('--context', `"${wanted}" must be one of ${contexts.join(', ')}`);
  const global = wanted === undefined || wanted === 'global' ? await context.client.list('globalRoles') : [];
  const templates = wanted === 'global' ? [] : await context.client.list('roleTemplates');
  const all = [...global.map(role => ({ ...role, context: 'global' })), ...templates] as V3Resource[];
  return wanted === undefined ? all : all.filter(role => role['context'] === wanted);
}

export async function listRoles(flags: RoleFlags): Promise<void> {
  await using context = await openContext(flags);
  const columns = [
    column('ID', 'id'),
    column('NAME', 'name'),
    column('CONTEXT', 'context'),
    { title: 'BUILTIN', value: (row: V3Resource) => row['builtin'] === true },
    { title: 'LOCKED', value: (row: V3Resource) => row['locked'] === true },
  ];
  await printList(await allRoles(context, flags.context), columns, { format: context.format, none: say('nothing') });
}

async function findRole(context: Context, wanted: string, kind?: string): Promise<V3Resource> {
  const all = await allRoles(context, kind);
  const found = all.filter(role => role.id === wanted);
  if (found.length === 0) found.push(...all.filter(role => role.name === wanted));
  if (found.length > 1) throw invalid('role', `"${wanted}" means several; use an id, or --context`);
  if (!found[0]) throw notFound('role', wanted);
  return found[0];
}

interface Rule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

export async function describeRole(wanted: string, flags: RoleFlags): Promise<void> {
  await using context = await openContext(flags);
  const role = await findRole(context, wanted, flags.context);
  if (context.format !== 'table') return printData(role, context.format);
  const inherits = (role['roleTemplateIds'] ?? []) as readonly string[];
  const from = inherits.length > 0 ? `\n${say('inherits', { roles: inherits.join(', ') })}` : '';
  process.stdout.write(`${role.id}  ${role.name ?? ''}  ${String(role['context'] ?? '')}${from}\n\n`);
  const words = (list?: readonly string[]) => list?.map(word => word || '""').join(',');
  const columns: Column<Rule>[] = [
    { title: 'VERBS', value: rule => words(rule.verbs) },
    { title: 'RESOURCES', value: rule => words(rule.resources) ?? words(rule.nonResourceURLs) },
    { title: 'GROUPS', value: rule => words(rule.apiGroups) },
    { title: 'NAMES', value: rule => words(rule.resourceNames) },
  ];
  const rules = (role['rules'] ?? []) as readonly Rule[];
  await printList(rules, columns, { format: 'table', none: say('nothing') });
}

/**
 * `get,list:pods,services` or with a group `get:deployments.apps`; of core where there is none. A third part names the only ones that
 * are meant, and what begins with a slash is an address, such as `get:/metrics`.
 */
function parseRule(text: string): Rule {
  const [verbs, resources, resourceNames, more] = text.split(':').map(part => part.split(','));
  if (!verbs?.every(Boolean) || !resources?.every(Boolean) || resourceNames?.every(Boolean) === false || more)
    throw invalid('--rule', `"${text}" must be VERBS:RESOURCES or VERBS:RESOURCES:NAMES, such as get,list:pods`);
  const urls = resources.filter(resource => resource.startsWith('/'));
  if (urls.length > 0) {
    if (urls.length < resources.length || resourceNames)
      throw invalid('--rule', `"${text}" has addresses and resources in one; give a --rule for each`);
    return { verbs, nonResourceURLs: urls };
  }
  const groups = new Set(resources.map(resource => resource.split('/')[0]!.split('.').slice(1).join('.')));
  if (groups.size > 1) throw invalid('--rule', `"${text}" names resources of several groups; give a --rule for each`);
  const plain = resources.map(resource => {
    const [name, sub] = resource.split('/');
    return sub === undefined ? name!.split('.')[0]! : `${name!.split('.')[0]}/${sub}`;
  });
  const apiGroups = resources[0] === '*' ? ['*'] : [...groups];
  return { verbs, resources: plain, apiGroups, ...(resourceNames ? { resourceNames } : {}) };
}

interface NewRoleFlags extends RoleFlags {
  readonly rule?: readonly string[];
  readonly inherit?: readonly string[];
  readonly description?: string;
  readonly default?: boolean;
}

const defaults: Readonly<Record<string, string>> = {
  global: 'newUserDefault',
  cluster: 'clusterCreatorDefault',
  project: 'projectCreatorDefault',
};

function moreOf(context: string, { description, default: isDefault }: NewRoleFlags): Record<string, unknown> {
  return {
    ...(description === undefined ? {} : { description }),
    ...(isDefault === undefined ? {} : { [defaults[context]!]: isDefault }),
  };
}

export async function createRole(name: string, flags: NewRoleFlags): Promise<void> {
  await using context = await openContext(flags);
  const kind = flags.context ?? 'cluster';
  if (!contexts.some(known => known === kind))
    throw invalid('--context', `"${kind}" must be one of ${contexts.join(', ')}`);
  const rules = (flags.rule ?? []).map(parseRule);
  if (rules.length === 0 && !flags.inherit?.length)
    throw invalid('--rule', 'give a --rule, or a role to --inherit from');
  if (kind === 'global' && flags.inherit?.length) throw invalid('--inherit', 'is for roles of clusters and projects');
  const more = moreOf(kind, flags);
  const body =
    kind === 'global'
      ? { type: 'globalRole', name, rules, ...more }
      : { type: 'roleTemplate', name, rules, context: kind, roleTemplateIds: flags.inherit ?? [], ...more };
  const role = await context.client.create(pluralOf(kind), body);
  if (context.format === 'table') process.stdout.write(`${role.id} ${name}\n`);
  else await printData(role, context.format);
}

interface RoleChange extends NewRoleFlags {
  readonly name?: string;
  readonly lock?: boolean;
  readonly unlock?: boolean;
}

/** What is not said stays; --rule and --inherit replace all that there were. */
export async function setRole(wanted: string, flags: RoleChange): Promise<void> {
  await using context = await openContext(flags);
  const { name, rule, inherit, lock, unlock } = flags;
  if (lock && unlock) throw invalid('--lock', 'lock or unlock: only one of them');
  const role = await findRole(context, wanted, flags.context);
  if (role['context'] === 'global' && (inherit || lock || unlock))
    throw invalid('--inherit, --lock', 'are for roles of clusters and projects');
  const change = {
    ...(name === undefined ? {} : { name }),
    ...(rule === undefined ? {} : { rules: rule.map(parseRule) }),
    ...(inherit === undefined ? {} : { roleTemplateIds: inherit }),
    ...(lock || unlock ? { locked: lock === true } : {}),
    ...moreOf(String(role['context']), flags),
  };
  if (Object.keys(change).length === 0) throw invalid('roles set', 'needs a flag that says what is to change');
  await context.client.update(role, change);
  process.stderr.write(`${say('saved')}\n`);
}

export async function deleteRole(wanted: string, flags: RoleFlags & { readonly yes?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  await removeAsked(context, 'role', { found: await findRole(context, wanted, flags.context), yes: flags.yes });
}

async function removeAsked(
  context: Context,
  type: string,
  { found, yes }: { readonly found: V3Resource; readonly yes?: boolean },
): Promise<void> {
  const named = { type, name: found.name ?? found.id };
  if (!yes && !(await askYes(say('deleteAsk', named), '--yes'))) return;
  await context.client.delete(found);
  process.stderr.write(`${say('deleted', named)}\n`);
}

interface Principal {
  readonly id: string;
  readonly name?: string;
  readonly principalType?: string;
  readonly provider?: string;
}

/** The groups that the enabled providers know by this name, or that the caller is in himself. */
export async function listGroups(name: string | undefined, flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const { client } = context;
  const found =
    name === undefined
      ? ((await client.list('principals')) as unknown as Principal[])
      : (
          await client.request<{ data: Principal[] }>('POST', '/v3/principals?action=search', {
            name,
            principalType: 'group',
          })
        ).data;
  const rows = found.filter(({ principalType }) => principalType === 'group');
  const columns: Column<Principal>[] = [
    { title: 'PRINCIPAL', value: row => row.id },
    { title: 'NAME', value: row => row.name },
    { title: 'PROVIDER', value: row => row.provider },
  ];
  await printList(rows, columns, { format: context.format, none: say('nothing') });
}

const isSession = (token: V3Resource) => token['isDerived'] !== true;

/** The caller's own sign-ins, without the tokens that were made from them. */
export async function listSessions(flags: GlobalFlags): Promise<void> {
  await using context = await openContext(flags);
  const rows = (await context.client.list('tokens')).filter(isSession);
  const columns = [
    column('ID', 'id'),
    column('USER', 'userId'),
    column('PROVIDER', 'authProvider'),
    { title: 'CURRENT', value: (row: V3Resource) => row['current'] === true },
    ageColumn('AGE', 'created'),
    ageColumn('LAST USED', 'lastUsedAt'),
    column('ENDS', 'expiresAt'),
  ];
  await printList(rows, columns, { format: context.format, none: say('nothing') });
}

export async function revokeSession(id: string, flags: GlobalFlags & { readonly yes?: boolean }): Promise<void> {
  await using context = await openContext(flags);
  const found = await context.client.get(`/v3/tokens/${encodeURIComponent(id)}`);
  if (!isSession(found))
    throw invalid('session', `"${id}" is a token, not a sign-in; end it with drover tokens delete`);
  await removeAsked(context, 'session', { found, yes: flags.yes });
}
