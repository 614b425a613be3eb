import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { startServices } from '../harness/services.ts';
import { tableOf } from './measures.ts';
import { soak } from './soak.ts';

const MINUTES = 30;
const PER_SECOND = 300;

const USAGE = `usage: npm run soak [-- --minutes n] [-- --rate n] [-- --json file]

  --minutes  how long the load lasts (default ${MINUTES})
  --rate     events offered a second (default ${PER_SECOND})
  --json     also write every look at the process to this file
  --help     this text

Runs the whole pipeline in two processes on a real Kafka, MongoDB and schema registry: addresses from the environment, else
containers, else native processes. One process is restarted now and then; the other must not have more and more of anything.
Everything is removed at the end. Ends with 1 when something grows.
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      rate: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const minutes = positive('--minutes', values.minutes, MINUTES);
  const perSecond = positive('--rate', values.rate, PER_SECOND);
  await using stack = new AsyncDisposableStack();
  const services = stack.adopt(await startServices(), (each) => each.stop());
  const loadBefore = loadavg();
  const found = await soak({ minutes, perSecond, services, progress: (line) => process.stderr.write(`${line}\n`) });
  const { judged, looks, warmUpMinutes, restarts, generatorLateMs } = found;
  const loads = [...loadBefore, ...loadavg()].map((each) => each.toFixed(1));
  process.stdout.write(
    `\n${minutes} min at ${perSecond} events/s, the first ${warmUpMinutes.toFixed(1)} min not judged; ${looks.length} looks, ` +
      `${restarts} restarts of the other member, events up to ${generatorLateMs} ms late\n` +
      `${cpus().length} cores, load before ${loads.slice(0, 3).join(' ')}, after ${loads.slice(3).join(' ')}\n\n`,
  );
  process.stdout.write(`${tableOf(judged)}\n`);
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify({ minutes, perSecond, loads, ...found }, null, 2)}\n`);
  }
  if (judged.some(({ grows }) => grows)) process.exitCode = 1;
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!(value > 0)) throw new TypeError(`${name}: a number above 0`);
  return value;
}

main().catch((error: unknown) => {
  const usage = error instanceof TypeError;
  process.stderr.write(`${usage ? error.message : inspect(error)}\n`);
  process.exitCode = usage ? 2 : 1;
});
