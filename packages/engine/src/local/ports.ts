/**
 * The ports of the local cluster: chosen once and kept, so that kubeconfigs go on working; one that somebody else took in
 * between is replaced and the choice written back. Taken from below the range that the kernel gives to outgoing connections.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { unavailable } from '@drover/base';
import { readFileIfThere, writeFileAtomic } from '@drover/kube';

const names = ['etcd', 'etcdPeer', 'apiserver', 'controllerManager', 'scheduler'] as const;

export type Ports = Readonly<Record<(typeof names)[number], number>>;

/** The ports kept in this directory, all of them free on `address` at this moment. */
export async function ensurePorts(dir: string, address: string): Promise<Ports> {
  const path = join(dir, 'ports.json');
  const kept = parsePorts(await readFileIfThere(path));
  const ports: Record<string, number> = {};
  for (const name of names) {
    const old = kept[name];
    const usable = typeof old === 'number' && !Object.values(ports).includes(old) && (await isFree(old, address));
    ports[name] = usable ? old : await choosePort(address, Object.values({ ...kept, ...ports }));
  }
  if (names.some(name => ports[name] !== kept[name])) await writeFileAtomic(path, `${JSON.stringify(ports)}\n`);
  return ports as Ports;
}

async function choosePort(address: string, others: readonly unknown[]): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(20_000, 32_000);
    if (!others.includes(port) && (await isFree(port, address))) return port;
  }
  throw unavailable(`no free port on ${address} between 20000 and 32000`);
}

/** Whether one could listen there now. */
function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', error => {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(false);
      else reject(unavailable(`can't listen on ${address}: ${error.message}`, { cause: error }));
    });
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function parsePorts(text: string | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    // Ports are not worth a refusal: new ones are chosen.
    return {};
  }
}
