/** version: of this command line. */
import { readFileSync } from 'node:fs';
import type { GlobalFlags } from '../context.ts';
import { parseFormat, printData } from '../output.ts';

export async function version(flags: GlobalFlags): Promise<void> {
  const { version: own } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const format = parseFormat(flags.output);
  if (format !== 'table') return printData({ version: own, node: process.version }, format);
  process.stdout.write(`drover ${own} (Node ${process.version})\n`);
}
