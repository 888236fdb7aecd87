/** Questions on the terminal. Without one they fail by naming the flag to use instead, so that scripts never hang. */
import { invalid, StatusError } from '@drover/base';
import { say } from './messages.ts';

export function hasTerminal(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}

function requireTerminal(flag: string): void {
  if (!hasTerminal()) throw invalid(flag, say('noTerminal', { flag }));
}

async function answered<T>(answer: Promise<T>): Promise<Exclude<T, symbol>> {
  const value = await answer;
  if (typeof value === 'symbol') throw new StatusError(400, 'BadRequest', 'cancelled');
  return value as Exclude<T, symbol>;
}

/** `initial` is what an empty answer means. */
export async function askText(message: string, flag: string, initial?: string): Promise<string> {
  requireTerminal(flag);
  const { text } = await import('@clack/prompts');
  const given = { message, output: process.stderr };
  return answered(text(initial === undefined ? given : { ...given, placeholder: initial, defaultValue: initial }));
}

export async function askChoice(message: string, of: readonly string[], flag: string): Promise<string> {
  requireTerminal(flag);
  const { select } = await import('@clack/prompts');
  return answered(select({ message, options: of.map(value => ({ value })), output: process.stderr }));
}

export async function askPassword(message: string, flag: string): Promise<string> {
  requireTerminal(flag);
  const { password } = await import('@clack/prompts');
  return answered(password({ message, output: process.stderr }));
}

export async function askYes(message: string, flag: string, initialValue: boolean = false): Promise<boolean> {
  requireTerminal(flag);
  const { confirm } = await import('@clack/prompts');
  return answered(confirm({ message, initialValue, output: process.stderr }));
}

/** All of stdin without its last newline: for --password-stdin. */
export async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
