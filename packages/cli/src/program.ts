/**
 * The command table. Each command's code is loaded only when it runs, so that `drover version` or a completion is quick.
 */
import { Command } from 'commander';
import type { GlobalFlags } from './context.ts';
import { addAccess, addMembers } from './program-access.ts';
import { addEngine } from './program-engine.ts';
import { addEngineClusters } from './program-engine-clusters.ts';

/** What the launcher runs itself, before it gets here. */
const launcherCommands = [
  { name: 'up', description: 'start a server, and a cluster to manage' },
  { name: 'agent', description: 'run a cluster agent as a plain process' },
  ...['test', 'check', 'bench', 'image'].map(name => ({ name, description: 'for working on Drover' })),
];

/** Runs with the flags of the command and of the program together; a number or false becomes the exit code. */
type Run = (args: string[], flags: GlobalFlags & Record<string, never>) => Promise<unknown>;

/** The flags that every command takes, before its name or behind it. */
function withGlobals(command: Command): Command {
  return command
    .option('--server <name|url>', 'the server meant, of those signed in to')
    .option('--cluster <id|name>', 'the cluster meant')
    .option('-o, --output <format>', 'table, json or yaml')
    .option('--debug', 'show each request (no secrets)');
}

function action(command: Command, run: Run): Command {
  // What stands behind kubectl is kubectl's.
  if (command.name() !== 'kubectl') withGlobals(command);
  return command.action(async () => {
    const outcome = await run(command.args, command.optsWithGlobals());
    if (typeof outcome === 'number') process.exitCode = outcome;
    else if (outcome === false) process.exitCode = 1;
  });
}

function addHelp(program: Command): void {
  program
    .command('help [command...]')
    .description('help for a command')
    .action((words: string[]) => {
      let command = program;
      for (const word of words) {
        const next = command.commands.find(sub => sub.name() === word || sub.aliases().includes(word));
        if (!next) return program.error(`error: unknown command '${words.join(' ')}'`);
        command = next;
      }
      command.outputHelp();
    });
}

export function buildProgram(): Command {
  const program = withGlobals(new Command('drover'))
    .description('Many Kubernetes clusters from one place')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'drover: ')) })
    .showHelpAfterError('(--help lists what there is)')
    .helpCommand(false);
  program.addHelpText(
    'after',
    '\nRun by the launcher itself:\n  up       start a server, and a cluster to manage\n  agent    run a cluster agent as a plain process\n  test, check, bench, image   for working on Drover',
  );
  addSignIn(program);
  addClusters(program);
  addAccess(program, action);
  addAdministration(program);
  addEngine(program, action);
  addTools(program);
  addHelp(program);
  return program;
}

function addSignIn(program: Command): void {
  const login = program
    .command('login <server>')
    .description('sign in to a server')
    .option('-u, --username <name>', 'who to sign in as')
    .option('--password-stdin', 'read the password from stdin')
    .option('--otp <code>', 'a code of your second factor (asked for where one is needed)')
    .option('--token <name:key>', 'sign in with a token')
    .option('--provider <name>', 'sign in with this provider of the server (default local)')
    .option('--browser', 'sign in in a browser, on this machine or another')
    .option('--ca-file <file>', 'trust the CA in this PEM file')
    .option('--ca-fingerprint <sha256>', 'trust the CA with this fingerprint')
    .option('--name <name>', 'remember the server under this name');
  action(login, async ([server], flags) => (await import('./commands/login.ts')).login(server!, flags));
  action(program.command('logout').description('end the sign-in'), async (_, flags) =>
    (await import('./commands/login.ts')).logout(flags),
  );
  action(program.command('whoami').description('who is signed in, and where'), async (_, flags) =>
    (await import('./commands/login.ts')).whoami(flags),
  );
  const factor = program.command('second-factor').description('what you need beside your password');
  action(factor.command('status').description('whether you have one'), async (_, flags) =>
    (await import('./commands/second-factor.ts')).showSecondFactor(flags),
  );
  action(factor.command('enable').description('turn it on, with an authenticator app'), async (_, flags) =>
    (await import('./commands/second-factor.ts')).enableSecondFactor(flags),
  );
  action(factor.command('disable').description('turn it off'), async (_, flags) =>
    (await import('./commands/second-factor.ts')).disableSecondFactor(flags),
  );
  action(factor.command('reset <user>').description('take it off somebody who lost it'), async ([user], flags) =>
    (await import('./commands/second-factor.ts')).resetSecondFactor(user!, flags),
  );
  action(
    program
      .command('scim-token <provider>')
      .description('a new token for an identity provider that keeps its users here'),
    async ([provider], flags) => (await import('./commands/resources.ts')).makeScimToken(provider!, flags),
  );
  action(program.command('servers').description('the servers signed in to'), async (_, flags) =>
    (await import('./commands/servers.ts')).servers(flags),
  );
  action(program.command('use <server>').description('make a server the current one'), async ([server]) =>
    (await import('./commands/servers.ts')).use(server!),
  );
  action(
    program.command('use-cluster <cluster>').description('make a cluster the current one'),
    async ([cluster], flags) => (await import('./commands/servers.ts')).useCluster(cluster!, flags),
  );
}

function addEndpoint(clusters: Command): void {
  const endpoint = clusters.command('endpoint').description('a way straight to a cluster’s own kube-apiserver');
  action(
    endpoint
      .command('enable <cluster>')
      .description('copy the hashes of its tokens into it, and run kube-api-auth there')
      .option('--fqdn <host[:port]>', 'a load balancer before its kube-apiservers')
      .option('--ca-file <file>', 'what vouches for that load balancer (PEM)'),
    async ([cluster], flags) => (await import('./commands/cluster-endpoint.ts')).enableEndpoint(cluster!, flags),
  );
  action(endpoint.command('disable <cluster>').description('take all of it away again'), async ([cluster], flags) =>
    (await import('./commands/cluster-endpoint.ts')).disableEndpoint(cluster!, flags),
  );
  action(endpoint.command('webhook').description('print the file that each kube-apiserver needs'), async () =>
    (await import('./commands/cluster-endpoint.ts')).printWebhook(),
  );
}

function addClusters(program: Command): void {
  const clusters = program.command('clusters').alias('cluster').description('the clusters of the server');
  action(clusters.command('list').alias('ls').description('all of them with their state'), async (_, flags) =>
    (await import('./commands/clusters.ts')).listClusters(flags),
  );
  action(
    clusters.command('describe [cluster]').description('one with its conditions and nodes'),
    async ([cluster], flags) => (await import('./commands/clusters.ts')).describeCluster(cluster, flags),
  );
  action(
    clusters
      .command('delete <cluster>')
      .description('remove what was installed in it, and forget it')
      .option('-y, --yes', 'without asking'),
    async ([cluster], flags) => (await import('./commands/clusters.ts')).deleteCluster(cluster!, flags),
  );
  const bring = clusters
    .command('import <name>')
    .description('register an existing cluster')
    .option('--context <name>', 'install the agent with this context of your kubeconfig')
    .option('--kubeconfig <file>', 'the kubeconfig to use')
    .option('--node-agents', 'an agent on each node too: the way in while the cluster’s own is away')
    .option('--timeout <seconds>', 'how long to wait for it to be active', '120');
  action(bring, async ([name], flags) => (await import('./commands/cluster-import.ts')).importCluster(name!, flags));
  addEndpoint(clusters);
  addEngineClusters(clusters, action);
  addMembers(program.command('members').description('who may use a cluster'), action, {
    kind: 'cluster',
    place: '<cluster>',
    usual: 'cluster-owner, cluster-member or another',
  });
  const kubectl = program
    .command('kubectl [args...]')
    .description('run kubectl against a cluster')
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false);
  action(kubectl, async (args, flags) => (await import('./commands/kubectl.ts')).kubectl(args, flags));
  const kubeconfig = program
    .command('kubeconfig [cluster]')
    .description('a kubeconfig for a cluster')
    .option('--static', 'with a token inside, instead of one fetched when needed')
    .option('--merge', 'add it to your kubeconfig and keep what is there')
    .option('-f, --file <file>', 'write it here');
  action(kubeconfig, async ([cluster], flags) => (await import('./commands/kubeconfig.ts')).kubeconfig(cluster, flags));
  action(program.command('credential').description('a short-lived token for kubectl (exec plugin)'), async (_, flags) =>
    (await import('./commands/credential.ts')).credential(flags),
  );
}

function addAdministration(program: Command): void {
  const tokens = program.command('tokens').alias('token').description('your tokens');
  action(tokens.command('list').alias('ls').description('all of them'), async (_, flags) =>
    (await import('./commands/resources.ts')).listTokens(flags),
  );
  action(
    tokens
      .command('create')
      .description('a new one')
      .option('--description <text>', 'what it is for')
      .option('--ttl <time>', 'how long it lives, such as 12h'),
    async (_, flags) => (await import('./commands/resources.ts')).createToken(flags),
  );
  action(tokens.command('delete <id>').alias('rm').description('end one'), async ([id], flags) =>
    (await import('./commands/resources.ts')).deleteToken(id!, flags),
  );
  const users = program.command('users').alias('user').description('the users of the server');
  action(users.command('list').alias('ls').description('all of them'), async (_, flags) =>
    (await import('./commands/resources.ts')).listUsers(flags),
  );
  const create = users
    .command('create <username>')
    .description('a new one')
    .option('--name <text>', 'how he is shown')
    .option('--password-stdin', 'read the password from stdin')
    .option('--must-change', 'he must choose another at his first sign-in')
    .option('--global-role <id>', 'user, admin or another global role', 'user');
  action(create, async ([name], flags) => (await import('./commands/resources.ts')).createUser(name!, flags));
  action(
    users.command('delete <user>').alias('rm').description('remove one').option('-y, --yes', 'without asking'),
    async ([user], flags) => (await import('./commands/resources.ts')).deleteUser(user!, flags),
  );
  action(
    users
      .command('set-password <user>')
      .description("replace one's password")
      .option('--password-stdin', 'read it from stdin'),
    async ([user], flags) => (await import('./commands/resources.ts')).setPassword(user!, flags),
  );
  action(users.command('enable <user>').description('let one sign in again'), async ([user], flags) =>
    (await import('./commands/resources.ts')).enableUser(user!, true, flags),
  );
  action(users.command('disable <user>').description('stop one from signing in'), async ([user], flags) =>
    (await import('./commands/resources.ts')).enableUser(user!, false, flags),
  );
  action(
    users
      .command('refresh [user]')
      .description('ask providers anew for groups, and whether they still know him, or all'),
    async ([user], flags) => (await import('./commands/resources.ts')).refreshUser(user, flags),
  );
  const settings = program.command('settings').alias('setting').description("the server's settings");
  action(settings.command('list').alias('ls').description('all of them'), async (_, flags) =>
    (await import('./commands/resources.ts')).listSettings(flags),
  );
  action(settings.command('get <name>').description('one'), async ([name], flags) =>
    (await import('./commands/resources.ts')).getSetting(name!, flags),
  );
  action(
    settings.command('set <name> <value>').description('change one; an empty value resets it'),
    async ([name, value], flags) => (await import('./commands/resources.ts')).setSetting(name!, value!, flags),
  );
}

function addTools(program: Command): void {
  action(program.command('doctor').description('check the way to the server and its clusters'), async (_, flags) =>
    (await import('./commands/doctor.ts')).doctor(flags),
  );
  action(program.command('completion <shell>').description('shell completion: bash, zsh or fish'), async ([shell]) => {
    const { completionScript } = await import('./completion.ts');
    process.stdout.write(completionScript(program, shell!, launcherCommands));
  });
  action(program.command('version').description('the version of this command line'), async (_, flags) =>
    (await import('./commands/version.ts')).version(flags),
  );
}
