/** Runs the machine's own commands to their end; a failure carries what the command said. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { internal } from '@drover/base';

const execute = promisify(execFile);

/** The command's stdout. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { maxBuffer: 64 * 1024 * 1024, ...options });
    return stdout;
  } catch (error) {
    const { stderr = '', stdout = '', code } = error as { stderr?: string; stdout?: string; code?: number | string };
    const said = (stderr || stdout).trim().slice(-2000);
    throw internal(`${command} ${args.join(' ')}: ${code}: ${said}`, error);
  }
}
