/**
 * Which process a number means: a pid is used again after its process ended, so one that was written down counts only
 * together with the time its process began.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { promisify } from 'node:util';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal for the same process only. */
  readonly startedAt: string;
}

/** The identity of a running process; undefined when there is none, or only what is left of one (a zombie). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (platform() === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    // The second field is the command in parentheses and may hold anything; the rest starts with the state.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields?.[19] && fields[0] !== 'Z' && fields[0] !== 'X' ? { pid, startedAt: fields[19] } : undefined;
  }
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim() ? { pid, startedAt: stdout.trim() } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether that very process still runs. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startedAt === identity.startedAt;
}

/** Resident memory in bytes, or undefined when the process is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  if (platform() === 'linux') {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  }
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
    return Number(stdout.trim()) * 1024;
  } catch {
    return undefined;
  }
}
