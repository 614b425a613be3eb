import { Argument, type Command } from 'commander';
import { PROCESSOR_NAMES } from '../catalog.ts';
import { ConfigurationError } from '../core/errors.ts';
import { startKizuna } from '../main.ts';
import { loadConfig, type Config } from '../runtime/config.ts';
import { createLog } from '../runtime/log.ts';
import { requireServices } from './connections.ts';
import { Ending } from './ending.ts';
import { firstOf, reportOf } from './failure.ts';
import { showStop } from './show-stop.ts';
import { JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

type RunFlags = JsonFlag & { readonly embedded?: true };

export function addRun(program: Command, terminal: Terminal): void {
  program
    .command('run')
    .description('run processors until SIGTERM or SIGINT: production')
    .addArgument(new Argument('[processor...]', 'which ones (default: all)').choices(PROCESSOR_NAMES))
    .option('--embedded', 'without any service: in memory, and nothing is kept')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nLogs JSON lines to stderr and serves /metrics, /livez and /readyz. A signal finishes the work in hand and ends with 0;\n' +
        'a failure, a second signal or more than KIZUNA_SHUTDOWN_MS end with 1.\n\n' +
        'Examples:\n  $ kizuna run\n  $ kizuna run customer        this one alone, others in processes of their own',
    )
    .action((names: readonly string[], flags: RunFlags) => run(names, flags, terminal));
}

async function run(names: readonly string[], flags: RunFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  refuseToGuess(config, flags.embedded === true);
  const logger = createLog(config.log.level, {
    write: (line) => {
      terminal.err(line);
    },
  });
  const startedAt = Date.now();
  using ending = new Ending(terminal, config.shutdownMs, logger);
  try {
    const clock = { now: Date.now };
    logger.info('starting', { processors: names.length > 0 ? names : PROCESSOR_NAMES, mode: config.time });
    await using kizuna = await startKizuna(config, { logger, clock, ...(names.length > 0 && { only: names }) });
    const { services, url, apiUrl, definitions } = kizuna;
    const at = { url, ...(apiUrl !== null && { api: apiUrl }) };
    logger.info('running', { on: services.description, ...at, definitions: definitions.hash });
    const { pipeline, ports } = kizuna;
    const failure = pipeline.failed.catch((error: unknown) => ({ error }));
    const end = await Promise.race([ending.requested, failure]);
    if (typeof end !== 'string') {
      const { meter } = ports;
      await showStop(end.error, { pipeline, meter, logger, visibleMs: config.stopVisibleMs, cut: ending.requested });
    }
    ending.begin();
    if (typeof end !== 'string') await pipeline.failed;
    logger.info('stopping', { signal: end });
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    // Told in the log, as everything else of a process that runs.
    const { document, exitCode, hint } = reportOf(error);
    logger.error('failed', { hint, error: firstOf(error) });
    if (flags.json === true) terminal.out(`${JSON.stringify({ error: document })}\n`);
    terminal.exitCode = exitCode;
    return;
  }
  const seconds = (Date.now() - startedAt) / 1000;
  logger.info('stopped', { seconds });
  if (flags.json === true) terminal.out(`${JSON.stringify({ stopped: true, seconds })}\n`);
}

/** Production that silently keeps nothing would be found out too late. */
function refuseToGuess(config: Config, embedded: boolean): void {
  if (!embedded) {
    requireServices(config, '; --embedded runs without any and keeps nothing');
  } else if (config.services !== null) {
    const message = 'is given, and --embedded is to run without services: take one of the two away';
    throw new ConfigurationError([{ where: 'KIZUNA_KAFKA_BROKERS', message }]);
  }
}
