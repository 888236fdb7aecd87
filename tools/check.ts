/** `./drover check`: types, lint, dead code, layers and what may not stand in tracked files; shows only what failed. */
import { runChecks } from './check/run.ts';
import { closingLine, exitCode } from './test/result.ts';

const counts = await runChecks();
console.log(closingLine(counts));
process.exitCode = exitCode(counts);
