/**
 * `./drover test [unit|integration|e2e|mutants|check|pictures|upgrade|conformance]… [PART-OF-A-PATH]…`: all but what runs on demand when nothing is named. Closes with one
 * line, `N passed, N failed`, and exits with 0 only when something ran and nothing failed.
 */
import { runChecks } from './check/run.ts';
import { runMutants } from './mutants/run.ts';
import { root } from './root.ts';
import { installPackages, missingPackages } from './test/debian-packages.ts';
import { prepareKubernetes } from './test/kubernetes.ts';
import { printFailed } from './test/print.ts';
import { add, type Counts, closingLine, exitCode, type FileResult, nothing } from './test/result.ts';
import { runSuite } from './test/run-suite.ts';
import { filesOf, suites } from './test/suites.ts';

const packageLists = ['test/integration/packages.txt', 'test/e2e/node/packages.txt', 'test/hosts/packages.txt'];
const parts = ['check', ...suites.map(suite => suite.name), 'mutants'];

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const flag = args.find(arg => arg.startsWith('-'));
  if (flag !== undefined) {
    const help = flag === '--help' || flag === '-h';
    console.log(`${help ? '' : `unknown flag ${flag}\n`}usage: ./drover test [${parts.join('|')}]… [PART-OF-A-PATH]…`);
    return help ? 0 : 2;
  }
  const named = args.filter(arg => parts.includes(arg));
  const only = args.filter(arg => !parts.includes(arg));
  // A path alone looks for files in every suite; nothing at all means everything but what has to be named.
  const onDemand = suites.filter(suite => suite.onDemand).map(({ name }) => name);
  const usual = parts.filter(name => !onDemand.includes(name));
  const chosen = named.length > 0 ? named : only.length > 0 ? suites.map(suite => suite.name) : usual;

  let total: Counts = nothing;
  if (chosen.includes('check')) total = add(total, await runChecks());
  const running = suites
    .filter(suite => chosen.includes(suite.name))
    .map(suite => ({ suite, files: filesOf(suite, root, only) }));
  if (running.some(({ suite, files }) => suite.name !== 'unit' && files.length > 0)) {
    await prepare(running.flatMap(({ suite }) => suite.packages ?? []));
  }
  const failed: FileResult[] = [];
  for (const { suite, files } of running) {
    const result = await runSuite(suite, files, { signal });
    total = add(total, result.counts);
    failed.push(...result.failed);
  }
  if (chosen.includes('mutants')) {
    const result = await runMutants({ only, signal });
    total = add(total, result.counts);
    failed.push(...result.failed);
  }
  printFailed(failed);
  console.log(closingLine(total));
  return exitCode(total);
}

async function prepare(more: readonly string[]): Promise<void> {
  const missing = await missingPackages(root, [...packageLists, ...more]);
  if (missing && missing.length > 0) {
    if (process.getuid?.() === 0) {
      console.log(`installing Debian packages: ${missing.join(' ')}`);
      await installPackages(missing);
    } else {
      console.log(`not installed, and only root may: apt-get install ${missing.join(' ')}`);
    }
  }
  await prepareKubernetes();
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
process.exitCode = await main(process.argv.slice(2), stop.signal);
