/** Ending processes: asked first, forced after a grace; always that very process, never one that got its number later. */
import { sleep } from '@drover/base';
import { isRunning, type ProcessIdentity } from './identity.ts';

/** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
export async function stopProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (!(await isRunning(identity))) return;
  signalProcess(identity.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  let killed = false;
  while (await isRunning(identity)) {
    if (!killed && performance.now() > deadline) {
      signalProcess(identity.pid, 'SIGKILL');
      killed = true;
    }
    await sleep(20);
  }
}

/** Sends the signal; a process that has just ended is no error. */
function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
