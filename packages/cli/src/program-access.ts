/** The part of the command table that is about who may do what: projects, namespaces, roles, groups, providers, sessions, and why. */
import type { Command } from 'commander';
import type { GlobalFlags } from './context.ts';

type Run = (args: string[], flags: GlobalFlags & Record<string, never>) => Promise<unknown>;
type Action = (command: Command, run: Run) => Command;

const collect = (value: string, before: readonly string[] = []) => [...before, value];

export function addAccess(program: Command, action: Action): void {
  addQuestions(program, action);
  addProjects(program, action);
  addNamespaces(program, action);
  addRoles(program, action);
  addSignedIn(program, action);
}

function addQuestions(program: Command, action: Action): void {
  const place = (command: Command) =>
    command.option('--project <id|name>', 'in this project').option('--name <name>', 'the one of this name');
  action(
    place(program.command('can-i <verb> <resource>'))
      .description('whether you may, and by which binding')
      .option('-n, --namespace <name>', 'in this namespace')
      .option('--as <user>', 'ask for another user'),
    async ([verb, resource], flags) => (await import('./commands/explain.ts')).canI(verb!, resource!, flags),
  );
  action(
    place(program.command('who-can <verb> <resource>')).description('everybody who may, and by which binding'),
    async ([verb, resource], flags) => (await import('./commands/explain.ts')).whoCan(verb!, resource!, flags),
  );
}

function addProjects(program: Command, action: Action): void {
  const load = () => import('./commands/projects.ts');
  const projects = program.command('projects').alias('project').description('sets of namespaces that belong together');
  action(projects.command('list').alias('ls').description('all that you see'), async (_, flags) =>
    (await load()).listProjects(flags),
  );
  action(
    withQuota(
      projects.command('create <name>').description('a new one').option('--description <text>', 'what it is for'),
    ),
    async ([name], flags) => (await load()).createProject(name!, flags),
  );
  action(
    withQuota(
      projects
        .command('set <project>')
        .description('change its name, description or limits')
        .option('--name <name>', 'what it is called')
        .option('--description <text>', 'what it is for'),
    ),
    async ([wanted], flags) => (await load()).setProject(wanted!, flags),
  );
  action(
    projects.command('describe <project>').description('one with its limits and members'),
    async ([wanted], flags) => (await load()).describeProject(wanted!, flags),
  );
  action(
    projects
      .command('delete <project>')
      .alias('rm')
      .description('remove one; its namespaces stay')
      .option('-y, --yes', 'without asking'),
    async ([wanted], flags) => (await load()).deleteProject(wanted!, flags),
  );
  addMembers(projects, action, {
    kind: 'project',
    place: '<project>',
    usual: 'project-owner, project-member, read-only or another',
    names: { list: 'members', add: 'add-member', set: 'set-member', remove: 'remove-member' },
  });
}

const who = 'who is the principal of a group';
const own = { list: 'list', add: 'add', set: 'set', remove: 'remove' };

/** Who has a role in a cluster or a project: commands of their own, or beside those of what they are members of. */
export function addMembers(
  parent: Command,
  action: Action,
  {
    kind,
    place,
    usual,
    names = own,
  }: {
    readonly kind: 'cluster' | 'project';
    readonly place: string;
    readonly usual: string;
    readonly names?: typeof own;
  },
): void {
  const load = () => import('./commands/members.ts');
  const command = (name: keyof typeof own, rest: string) => parent.command(`${names[name]} ${place}${rest}`);
  const list = command('list', '').description('who has which role there');
  const remove = command('remove', ' <who>').description(
    'take a role there from somebody; all, unless --role says one',
  );
  if (names === own) list.alias('ls');
  if (names === own) remove.alias('rm');
  action(list, async ([wanted], flags) => (await load()).listMembers(kind, wanted!, flags));
  action(
    command('add', ' <who>')
      .description('give somebody a role there')
      .option('--role <id>', usual, `${kind}-member`)
      .option('--group', who),
    async (args, flags) => (await load()).addMember(kind, args, flags),
  );
  action(
    command('set', ' <who>')
      .description('give somebody who has a role there another in its place')
      .requiredOption('--role <id>', usual)
      .option('--group', who),
    async (args, flags) => (await load()).setMember(kind, args, flags),
  );
  action(remove.option('--role <id>', 'this role alone').option('--group', who), async (args, flags) =>
    (await load()).removeMember(kind, args, flags),
  );
}

const withQuota = (command: Command): Command =>
  command
    .option('--quota <limits>', 'what its namespaces may take together, such as pods=100,limitsCpu=20; or none')
    .option('--namespace-quota <limits>', 'what a namespace gets of it that asks for nothing else; or none')
    .option('--container-limit <limits>', 'what a container gets that says nothing, such as limitsCpu=1; or none');

function addNamespaces(program: Command, action: Action): void {
  const load = () => import('./commands/namespaces.ts');
  const namespaces = program.command('namespaces').alias('namespace').description('the namespaces of a cluster');
  action(
    namespaces
      .command('list')
      .alias('ls')
      .description('those that you see')
      .option('--project <id|name>', 'of this project alone'),
    async (_, flags) => (await load()).listNamespaces(flags),
  );
  action(namespaces.command('describe <name>').description('one with its limits'), async ([name], flags) =>
    (await load()).describeNamespace(name!, flags),
  );
  const limited = (command: Command) =>
    command
      .option('--quota <limits>', 'its part of what the project has, such as pods=10; or none')
      .option('--container-limit <limits>', 'what a container gets that says nothing, such as limitsCpu=1; or none');
  action(
    limited(namespaces.command('set <name>').description('change its description or limits')).option(
      '--description <text>',
      'what it is for',
    ),
    async ([name], flags) => (await load()).setNamespace(name!, flags),
  );
  action(
    limited(namespaces.command('create <name>').description('a new one')).option(
      '--project <id|name>',
      'in this project',
    ),
    async ([name], flags) => (await load()).createNamespace(name!, flags),
  );
  action(
    namespaces
      .command('delete <name>')
      .alias('rm')
      .description('remove one with all that is in it')
      .option('-y, --yes', 'without asking'),
    async ([name], flags) => (await load()).deleteNamespace(name!, flags),
  );
  action(
    namespaces.command('move <name> [project]').description('into another project, or out of any'),
    async ([name, to], flags) => (await load()).moveNamespace(name!, to, flags),
  );
}

const forWhom = 'everybody new gets it; of a cluster or project, who made one';

function addRoles(program: Command, action: Action): void {
  const load = () => import('./commands/access.ts');
  const roles = program.command('roles').alias('role').description('what can be given to people');
  const inContext = (command: Command) => command.option('--context <where>', 'global, cluster or project');
  action(inContext(roles.command('list').alias('ls').description('all of them')), async (_, flags) =>
    (await load()).listRoles(flags),
  );
  action(inContext(roles.command('describe <role>').description('one with its rules')), async ([wanted], flags) =>
    (await load()).describeRole(wanted!, flags),
  );
  action(
    inContext(roles.command('create <name>').description('a new one; for clusters, unless --context says otherwise'))
      .option(
        '--rule <verbs:resources>',
        'such as get,list:pods, update:deployments.apps, get:secrets:one,two or get:/metrics; may be repeated',
        collect,
      )
      .option('--inherit <role>', 'holds what this role holds, too; may be repeated', collect)
      .option('--description <text>', 'what it is for')
      .option('--default', forWhom),
    async ([name], flags) => (await load()).createRole(name!, flags),
  );
  action(
    inContext(roles.command('set <role>').description('change one; what is not said stays'))
      .option('--name <name>', 'what it is called')
      .option('--description <text>', 'what it is for')
      .option('--default', forWhom)
      .option('--no-default', 'no longer so')
      .option('--rule <verbs:resources>', 'in place of the rules there are; may be repeated', collect)
      .option('--inherit <role>', 'in place of the roles it inherits from; may be repeated', collect)
      .option('--lock', 'not to be given any more')
      .option('--unlock', 'to be given again'),
    async ([wanted], flags) => (await load()).setRole(wanted!, flags),
  );
  const holders = () => import('./commands/global-members.ts');
  const forGroups = (command: Command) => command.option('--group', 'who is the principal of a group');
  action(roles.command('holders <role>').description('who holds a global role'), async ([wanted], flags) =>
    (await holders()).listHolders(wanted!, flags),
  );
  action(
    forGroups(roles.command('give <role> <who>').description('let somebody do on the server what a global role says')),
    async ([wanted, who], flags) => (await holders()).giveRole(wanted!, who!, flags),
  );
  action(
    forGroups(roles.command('take <role> <who>').description('take a global role from somebody')),
    async ([wanted, who], flags) => (await holders()).takeRole(wanted!, who!, flags),
  );
  action(
    inContext(roles.command('delete <role>').alias('rm').description('remove one')).option(
      '-y, --yes',
      'without asking',
    ),
    async ([wanted], flags) => (await load()).deleteRole(wanted!, flags),
  );
}

function addSignedIn(program: Command, action: Action): void {
  const load = () => import('./commands/access.ts');
  const groups = program
    .command('groups [name]')
    .alias('group')
    .description('groups that the providers know by a name; without one, your own');
  action(groups, async ([name], flags) => (await load()).listGroups(name, flags));
  action(
    groups.command('describe <principal>').description('one with the roles that were given to it'),
    async ([principal], flags) => (await import('./commands/groups.ts')).describeGroup(principal!, flags),
  );
  addProviders(program, action);
  const sessions = program.command('sessions').alias('session').description('where you are signed in');
  action(sessions.command('list').alias('ls').description('all of them'), async (_, flags) =>
    (await load()).listSessions(flags),
  );
  action(
    sessions.command('revoke <id>').description('end one').option('-y, --yes', 'without asking'),
    async ([id], flags) => (await load()).revokeSession(id!, flags),
  );
}

function addProviders(program: Command, action: Action): void {
  const load = () => import('./commands/providers.ts');
  const providers = program.command('auth-providers').description('who vouches for people that sign in');
  const configured = (command: Command) =>
    command
      .option('-f, --file <file>', 'its fields, as YAML or JSON; - for stdin')
      .option('--access-mode <mode>', 'unrestricted, restricted or required')
      .option(
        '--allow <principal>',
        'a user or group who is let in, in place of those there are; may be repeated',
        collect,
      );
  action(providers.command('list').alias('ls').description('all of them'), async (_, flags) =>
    (await load()).listProviders(flags),
  );
  action(providers.command('describe <provider>').description('one, without its secrets'), async ([wanted], flags) =>
    (await load()).describeProvider(wanted!, flags),
  );
  action(
    configured(providers.command('set <provider>').description('change one; what is not said stays')),
    async ([wanted], flags) => (await load()).setProvider(wanted!, flags),
  );
  action(
    configured(
      providers.command('enable <provider>').description('switch one on; a directory once it has let somebody in'),
    )
      .option('-u, --username <name>', 'somebody in the directory')
      .option('--password-stdin', 'read his password from stdin'),
    async ([wanted], flags) => (await load()).enableProvider(wanted!, flags),
  );
  action(
    providers.command('disable <provider>').description('switch one off, and end what was signed in by it'),
    async ([wanted], flags) => (await load()).disableProvider(wanted!, flags),
  );
}
