/** What the system says of a process (Linux, proc(5)). */
import { readFile } from 'node:fs/promises';

/** sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on. */
const tickUs = 10_000;

/** Processor time that it has taken since it began, in µs. */
export async function cpuUs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickUs;
}

/** Resident memory in MiB. */
export async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}
