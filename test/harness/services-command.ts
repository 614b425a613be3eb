import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { downStack, statusOfStack, upStack, type StackStatus } from './services-stack.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

interface UpOptions {
  readonly portKafka?: number;
  readonly portMongodb?: number;
  readonly portRegistry?: number;
  readonly json?: boolean;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) throw new InvalidArgumentError('1 to 65535.');
  return value;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function describe(status: StackStatus): string {
  const lines = Object.entries(status.services).map(
    ([name, { running, port: listens, pid, log }]) =>
      `${name.padEnd(15)} ${running ? `127.0.0.1:${listens}, pid ${pid}` : 'not running'}, log ${log}`,
  );
  return lines.join('\n');
}

function exportsOf(status: StackStatus): string {
  return Object.entries(status.environment)
    .map(([name, value]) => `export ${name}='${value}'`)
    .join('\n');
}

const program = new Command('services')
  .description('Kafka, MongoDB and a schema registry as processes of this machine, on loopback, for use and for tests.')
  .exitOverride();

program
  .command('up')
  .description(
    'starts what does not run yet, and prints the settings that point Kizuna at it: eval "$(npm run -s services -- up)"',
  )
  .option('--port-kafka <port>', 'where Kafka listens (usually 9092)', port)
  .option('--port-mongodb <port>', 'where MongoDB listens (usually 27017)', port)
  .option('--port-registry <port>', 'where the schema registry listens (usually 8081)', port)
  .option('--json', 'print JSON')
  .action(async ({ portKafka, portMongodb, portRegistry, json }: UpOptions) => {
    const status = await upStack({
      ...(portKafka !== undefined && { kafka: portKafka }),
      ...(portMongodb !== undefined && { mongodb: portMongodb }),
      ...(portRegistry !== undefined && { schemaRegistry: portRegistry }),
    });
    if (json !== true) process.stderr.write(`${describe(status)}\n`);
    print(json === true ? JSON.stringify(status) : exportsOf(status));
  });

program
  .command('down')
  .description('stops the processes that `up` started, and removes their data')
  .option('--keep', 'keep the data for the next `up`')
  .option('--json', 'print JSON')
  .action(async ({ keep, json }: { keep?: boolean; json?: boolean }) => {
    const stopped = await downStack({ keepData: keep === true });
    const sentence = stopped.length === 0 ? 'nothing was running' : `stopped: ${stopped.join(', ')}`;
    print(json === true ? JSON.stringify({ stopped }) : sentence);
  });

program
  .command('status')
  .description('tells what runs; exit code 1 when not all of it does')
  .option('--json', 'print JSON')
  .action(async ({ json }: { json?: boolean }) => {
    const status = await statusOfStack();
    print(json === true ? JSON.stringify(status) : describe(status));
    if (!status.running) process.exitCode = EXIT_FAILED;
  });

// Ending by exit kills the servers that are still coming up.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT_FAILED));
// kafkajs sets a timer to a time that is over, which Node 24 reports each time and which harms nothing.
process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  if (name !== 'TimeoutNegativeWarning') process.stderr.write(`${name}: ${message}\n`);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said what is wrong; help asked for is no fault.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT_FAILED;
  }
}
