/** `drover …`: parses, runs, and says in one or two lines what went wrong. Exit code 2 = the command line itself was wrong. */
import { messageOf, StatusError } from '@drover/base';
import { type Command, CommanderError } from 'commander';
import { buildProgram } from './program.ts';

// Whoever reads our output may stop before its end, as head does: that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const program = buildProgram();
function override(command: Command): void {
  command.exitOverride();
  for (const sub of command.commands) override(sub);
}
override(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = explain(error);
}

/** Prints the error for a person and answers the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof StatusError)) {
    process.stderr.write(
      `drover: ${messageOf(error)}\n${process.env['DROVER_DEBUG'] && error instanceof Error ? `${error.stack}\n` : ''}`,
    );
    return 1;
  }
  const field = error.details.field && !error.message.includes(error.details.field) ? `${error.details.field}: ` : '';
  process.stderr.write(`drover: ${field}${messageOf(error)}\n`);
  return error.reason === 'Invalid' && error.details.field?.startsWith('--') ? 2 : 1;
}
