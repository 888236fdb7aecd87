/**
 * Gives a shell its kubeconfig: over the stdin of a command, into memory that only the shell's container has. No argument, environment,
 * Secret or event ever holds it, so that it is in no log of the cluster either.
 */
import { invalid, type Secret } from '@drover/base';
import type { KubeClient } from '@drover/kube';
import type { ContainerTarget } from '../terminals/container-target.ts';
import { outputOf, runCommand } from '../terminals/run-command.ts';

export interface ShellPlace {
  /** The cluster's name, as people know it. */
  readonly name: string;
  /** Of this server, as pods reach it. */
  readonly serverUrl: string;
  readonly clusterId: string;
  /** PEM; empty where the system's roots vouch for the server. */
  readonly ca: string;
}

/** As JSON in one line, which is YAML too and can be read by the shell itself. Throws Invalid where no pod could reach the server. */
export function shellKubeconfig({ name, serverUrl, clusterId, ca }: ShellPlace, token: Secret): string {
  requireReachable(serverUrl);
  const cluster = {
    server: `${serverUrl}/k8s/clusters/${clusterId}`,
    ...(ca ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') } : {}),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user: { token: token.reveal() } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

/** `localhost` means another machine to a pod. */
function requireReachable(serverUrl: string): void {
  if (!URL.canParse(serverUrl) || !/^(?:localhost$|127\.|\[::1\]$)/.test(new URL(serverUrl).hostname)) return;
  throw invalid(
    'server-url',
    `no pod can reach this server as ${serverUrl}: set the setting server-url to an address that the cluster's pods reach`,
  );
}

/**
 * Where everything lies is what the pod says in KUBECONFIG, HOME and ENV. Nothing but `mkdir` is taken from the image: `read` and `printf`
 * are the shell's own, so that the kubeconfig is no command's argument.
 */
const script = `set -eu
umask 077
: "$KUBECONFIG" "$ENV"
mkdir -p "$HOME/.kube"
IFS= read -r config
printf "%s\\n" "$config" > "$KUBECONFIG"
printf "%s\\n" "$1" > "$ENV"
printf "%s\\n" "$2" > "$HOME/.bashrc"`;

/** What any shell reads as it begins. */
const anyShell = 'alias k=kubectl';

/** What bash reads. Completions ask for one function of a library that many images lack. */
const bashOnly = `. "$ENV"
library=/usr/share/bash-completion/bash_completion
[ -r "$library" ] && . "$library"
declare -F _get_comp_words_by_ref >/dev/null || _get_comp_words_by_ref() {
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  words=("\${COMP_WORDS[@]}")
  cword=$COMP_CWORD
}
for tool in kubectl helm; do command -v $tool >/dev/null && . <($tool completion bash); done
complete -o default -F __start_kubectl k
unset library tool`;

export async function handOver(
  client: KubeClient,
  target: ContainerTarget,
  { kubeconfig, signal }: { readonly kubeconfig: string; readonly signal: AbortSignal },
): Promise<void> {
  const command = ['sh', '-c', script, 'sh', anyShell, bashOnly];
  const running = await runCommand(client, target, { command, stdin: true, signal });
  await running.stream.write(Buffer.from(`${kubeconfig}\n`));
  await outputOf(running, 4096);
}

/** The best shell that there is, with what was handed over. */
export const shellCommand: readonly string[] = [
  'sh',
  '-c',
  'cd "$HOME"; TERM=xterm-256color; export TERM; command -v bash >/dev/null && exec bash || exec sh',
];
