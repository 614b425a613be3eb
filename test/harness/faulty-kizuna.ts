import { writeSync } from 'node:fs';
import { startKizuna } from '../../processors/main.ts';
import { loadConfig } from '../../processors/runtime/config.ts';
import { createLog } from '../../processors/runtime/log.ts';
import { withFaultPoints } from './fault-points.ts';
import { strikesFrom } from './faulty-process.ts';

/**
 * `kizuna run` that sends itself a signal at the n-th pass of a named point, once for each point of its command line: the
 * first from its start on, each further one from a SIGUSR2 on (faulty-process.ts). SIGTERM ends it cleanly.
 */
const { signal, strikes } = strikesFrom(process.argv.slice(2));
let next = strikes.shift();
let passes = 0;
process.on('SIGUSR2', () => {
  next ??= strikes.shift();
});

const config = loadConfig(process.env);
const logger = createLog(config.log.level);
const asked = new Promise((resolve) => void process.once('SIGTERM', resolve));
{
  await using kizuna = await startKizuna(config, {
    logger,
    clock: { now: Date.now },
    watch: (services) =>
      withFaultPoints(services, (point, where) => {
        if (point !== next?.point || ++passes < next.pass) return;
        next = undefined;
        passes = 0;
        // Written at once: nothing that is buffered outlives the signal.
        writeSync(2, `${JSON.stringify({ message: 'struck', point, where })}\n`);
        process.kill(process.pid, signal);
      }),
  });
  logger.info('running', { url: kizuna.url });
  await Promise.race([asked, kizuna.pipeline.failed]);
}
process.exit(0);
