/** Ends a process with everything that it started, even children that went into a session of their own. */
import { readdirSync, readFileSync } from 'node:fs';
import { sleep } from '@drover/base';

/** The process ids below `pid`, deepest last; on systems without /proc only the process group can be reached. */
function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of listProc()) {
    const parent = parentOf(name);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const walk = (parent: number) => {
    for (const child of children.get(parent) ?? []) {
      found.push(child);
      walk(child);
    }
  };
  walk(pid);
  return found;
}

function listProc(): string[] {
  try {
    return readdirSync('/proc').filter(name => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may itself hold spaces and parentheses: count fields from the last one.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends the process group led by `pid` and all its descendants: SIGTERM, and SIGKILL after `graceMs`. */
export async function endTree(pid: number, graceMs = 3000): Promise<void> {
  const below = descendants(pid);
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    signal(-pid, name);
    for (const each of below) signal(each, name);
    if (name === 'SIGTERM') await sleep(graceMs);
  }
}

/** Kills what is left of a process group whose leader has ended; tells whether there was something after `graceMs`. */
export async function endLeftovers(pid: number, graceMs = 2000): Promise<boolean> {
  const deadline = performance.now() + graceMs;
  while (groupLives(pid)) {
    if (performance.now() > deadline) {
      signal(-pid, 'SIGKILL');
      return true;
    }
    await sleep(20);
  }
  return false;
}

function groupLives(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}
