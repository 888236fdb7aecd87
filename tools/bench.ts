/** `./drover bench [NAME]… [--quick] [--json FILE]`: runs the benches of test/bench and prints one table with the machine's facts. */
import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { invalid, messageOf } from '@drover/base';
import type { Row } from '../test/bench/row.ts';
import { formatRows } from './bench/table.ts';
import { root } from './root.ts';

const dir = join(root, 'test/bench');

/** A bench is a module that exports run(); what else lies there is its parts, some of them programs of their own. */
function benchNames(): string[] {
  const isBench = (file: string) => /^export (async )?function run\b/m.test(readFileSync(join(dir, file), 'utf8'));
  return globSync('*.ts', { cwd: dir })
    .filter(isBench)
    .map(file => basename(file, '.ts'))
    .sort();
}

interface Bench {
  /** Why it can't run on this machine, where that is so. */
  missing?(): Promise<string | undefined> | string | undefined;
  run(options: { readonly quick: boolean }): Promise<readonly Row[]>;
}

async function main(): Promise<number> {
  const options = { json: { type: 'string' }, quick: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const names = benchNames();
  const unknown = positionals.find(name => !names.includes(name));
  if (unknown !== undefined)
    throw invalid('bench', `there is no "${unknown}"; there are ${names.join(', ') || 'none yet'}`);
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
  };
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}\n`,
  );

  const rows: Row[] = [];
  const failed: string[] = [];
  const skipped: string[] = [];
  for (const name of positionals.length > 0 ? positionals : names) {
    process.stderr.write(`${name} …\n`);
    try {
      const bench = (await import(join(dir, `${name}.ts`))) as Bench;
      const why = await bench.missing?.();
      if (why === undefined) rows.push(...(await bench.run({ quick: values.quick })));
      else skipped.push(`${name}: ${why}`);
    } catch (error) {
      failed.push(`${name}: ${messageOf(error)}`);
    }
  }
  for (const line of formatRows(rows)) console.log(line);
  for (const line of skipped) console.error(`skipped: ${line}`);
  for (const line of failed) console.error(`failed: ${line}`);
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ machine, rows, skipped, failed }, undefined, 2)}\n`);
  return failed.length > 0 || rows.length + skipped.length === 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`drover bench: ${messageOf(error)}`);
  process.exitCode = 1;
}
