/** Drives `drover rke` as a person does: a cluster.yml in a folder, the command line as a process, kubectl with what it wrote. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runCommand as run, type StepEvent } from '@drover/engine';
import { stringify } from 'yaml';
import { roomyKubelet, type TestHost, type TestHosts } from '../hosts/index.ts';
import { writeBusyboxImage } from './node/image.ts';

const cli = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly events: readonly StepEvent[];
  /** Steps of the plan that it began with. */
  readonly planned: readonly string[];
  readonly result: string;
  readonly stderr: string;
}

export interface RkeFolder extends AsyncDisposable {
  readonly dir: string;
  write(config: { readonly services?: object; readonly [field: string]: unknown }): Promise<void>;
  /** `onEvent` may kill the process by the function that it is given. */
  rke(args: readonly string[], onEvent?: (event: StepEvent, kill: () => void) => void): Promise<Outcome>;
  kubectl(args: readonly string[]): Promise<string>;
}

/** `kubectl`: its path. */
export async function makeRkeFolder(world: TestHosts, kubectl: string): Promise<RkeFolder> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-rke-'));
  await writeFile(join(dir, 'key'), world.privateKey, { mode: 0o600 });
  return {
    dir,
    write({ services, ...config }) {
      const kubelet = { extra_args: roomyKubelet };
      const whole = { ssh_key_path: 'key', ...config, services: { kubelet, ...services } };
      return writeFile(join(dir, 'cluster.yml'), stringify(whole));
    },
    rke: (args, onEvent) => runRke(dir, args, onEvent),
    kubectl: args => run(kubectl, ['--kubeconfig', join(dir, 'kube_config_cluster.yml'), ...args]),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

/** A node of `cluster.yml`, with everything that hosts of one machine need. */
export function nodeOf(host: TestHost, role: readonly string[], user = 'root'): object {
  return { address: host.address, hostname_override: host.name, user, role };
}

async function runRke(
  dir: string,
  args: readonly string[],
  onEvent: (event: StepEvent, kill: () => void) => void = () => {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [cli, 'rke', ...args, '--config', join(dir, 'cluster.yml'), '-o', 'json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: StepEvent[] = [];
  let planned: string[] = [];
  let result = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  createInterface(child.stdout).on('line', line => {
    const said = JSON.parse(line) as StepEvent & { plan?: { steps: string[] }[]; result?: string };
    if (said.plan) planned = said.plan.flatMap(({ steps }) => steps);
    else if (said.result !== undefined) result = said.result;
    else {
      events.push(said);
      onEvent(said, () => child.kill('SIGKILL'));
    }
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, events, planned, result, stderr };
}

/** What must not change where nothing is done: the processes, and the files that they were started from. */
export function snapshotOf(host: TestHost): Promise<string> {
  const script = `for u in /etc/systemd/system/drover-*.service; do systemctl show -p Id -p InvocationID "$(basename $u)"; done
find /etc/drover /etc/kubernetes /etc/systemd/system /opt/drover -type f -printf '%p %T@\\n' | sort`;
  return host.exec(['sh', '-c', script]);
}

export const readText = (folder: RkeFolder, name: string): Promise<string> => readFile(join(folder.dir, name), 'utf8');

/** Lets pods of these hosts run busybox. */
export async function importBusybox(hosts: readonly TestHost[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-image-'));
  try {
    await writeBusyboxImage(join(dir, 'busybox.tar'));
    const ctr =
      'ctr=$(ls /opt/drover/*/bin/ctr | head -1); $ctr --address /run/drover/containerd.sock --namespace k8s.io';
    for (const host of hosts) {
      await host.put(join(dir, 'busybox.tar'), 'busybox.tar');
      await host.exec(['sh', '-c', `${ctr} images import /opt/busybox.tar`]);
    }
  } finally {
    await rm(dir, { recursive: true });
  }
}
