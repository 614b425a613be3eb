import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { addChurn } from './churn.ts';
import { addConfig } from './config.ts';
import { addCustomer } from './customer.ts';
import { addDefinitions } from './definitions.ts';
import { addDlq } from './dlq.ts';
import { reportOf } from './failure.ts';
import { addErase } from './erase.ts';
import { addInput } from './input.ts';
import { addReplay } from './replay.ts';
import { addRun } from './run.ts';
import { addSchemas } from './schemas.ts';
import { addSentiment } from './sentiment.ts';
import { addSimulate } from './simulate.ts';
import { addSweep } from './sweep.ts';
import type { Terminal } from './terminal.ts';
import { addTopics } from './topics.ts';
import { addTouchpoints } from './touchpoints.ts';
import { addVerifyErasure } from './verify-erasure.ts';

const EXAMPLES = `
Exit codes: 0 done, 1 failed, 2 bad usage or configuration; what plans changes: 0 no change, 2 changes.
Every command takes --json. Settings are environment variables: \`kizuna config docs\` lists them.

Examples:
  $ kizuna simulate --for 20s                                 watch the pipeline at work, nothing needed
  $ kizuna replay interactions.ndjson --to out                the same over a file
  $ kizuna topics apply && kizuna schemas register            prepare a cluster
  $ kizuna run                                                every processor, in production`;

/** Runs one command line; answers the exit code. Whatever a command throws ends here. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  // Known before the arguments are parsed, since they may be what is wrong.
  const json = (args.includes('--') ? args.slice(0, args.indexOf('--')) : args).includes('--json');
  try {
    await programOf(terminal, json).parseAsync(args, { from: 'user' });
    return terminal.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const { exitCode, lines, document } = reportOf(error);
    if (json) terminal.out(`${JSON.stringify({ error: document })}\n`);
    else for (const line of lines) terminal.err(`${line}\n`);
    return exitCode;
  }
}

function programOf(terminal: Terminal, json: boolean): Command {
  const program = new Command('kizuna')
    .description('Engagement analytics of customers: from interactions on Kafka to windows, churn risk and segments.')
    .version(packageJson.version, '--version', 'print the version')
    .helpOption('-h, --help', 'tell what a command does, with examples')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        terminal.out(text);
      },
      writeErr: (text) => {
        if (!json) terminal.err(text);
      },
    })
    .showHelpAfterError('(--help tells more)')
    .addHelpText('after', EXAMPLES);
  addRun(program, terminal);
  addSimulate(program, terminal);
  addReplay(program);
  addSweep(program, terminal);
  addTopics(program, terminal);
  addSchemas(program, terminal);
  addDefinitions(program, terminal);
  addCustomer(program, terminal);
  addTouchpoints(program, terminal);
  addChurn(program, terminal);
  addSentiment(program, terminal);
  addDlq(program, terminal);
  addErase(program, terminal);
  addVerifyErasure(program, terminal);
  addInput(program, terminal);
  addConfig(program, terminal);
  return program;
}
