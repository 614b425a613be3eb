import { InvalidArgumentError, type Command } from 'commander';
import { TOPICS } from '../../topics/catalog.ts';
import { createProcessors, topicDirectory } from '../catalog.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Processor } from '../core/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import { acceptLoss, examine, type Finding } from '../runtime/accept-loss.ts';
import { loadConfig, type Config } from '../runtime/config.ts';
import { connectServices } from '../runtime/connect.ts';
import { createLog } from '../runtime/log.ts';
import { storeName, type PipelinePorts } from '../runtime/pipeline-ports.ts';
import type { Log, TopicPartition } from '../runtime/ports.ts';
import { refuseCompany } from './company.ts';
import { commandLog, requireServices } from './connections.ts';
import { CommandFailed } from './failure.ts';
import { describeAccept } from './input-report.ts';
import { whoami } from './operator.ts';
import { OutcomeMeter } from './outcome-meter.ts';
import { answer, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

interface AcceptFlags extends JsonFlag {
  readonly processor?: string;
  readonly topic?: string;
  readonly partition?: readonly number[];
  readonly yes?: true;
  readonly by?: string;
  readonly note?: string;
}

export function addInput(program: Command, terminal: Terminal): void {
  program
    .command('input')
    .description('what processors read, when it is not what they left')
    .command('accept')
    .description('go on after input_lost or store_behind, in the next epoch; without --yes only tell what was found')
    .option('--processor <name>', 'only this one (default: every one)')
    .option('--topic <name>', 'only this input')
    .option('--partition <numbers>', 'only these, like 0,3', numbers)
    .option('--yes', 'do it')
    .option('--by <name>', 'who does it, for the audit line (default: user@host)')
    .option('--note <text>', 'why, for the audit line')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nThe processors must be stopped. After input_lost a partition goes on where the log begins now; after store_behind where\n' +
        'the journal ends, so that its input is folded again from there. What is published then has positions of the next\n' +
        'epoch: readers see some changes again, and miss none. A record that is gone from Kafka stays gone.\n' +
        'Without --yes the exit code is 2 when something is lost.\n\n' +
        "Examples:\n  $ kizuna input accept\n  $ kizuna input accept --processor intake --note 'topic re-created by mistake' --yes",
    )
    .action((flags: AcceptFlags) => accept(flags, terminal));
}

async function accept(flags: AcceptFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const services = requireServices(config);
  const definitions = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const all = createProcessors(definitions);
  const processors = chosen(all, flags);
  const [logger, meter, clock] = [commandLog(config), new OutcomeMeter(), { now: Date.now }];
  const stores = all.filter(({ kind }) => kind === 'stateful').map(storeName);
  await using opened = await connectServices(config, services, { topics: TOPICS, stores, clock, logger, meter });
  const ports = { ...opened, ...portsOf(config, { logger, meter, clock }) };

  const found: Finding[] = [];
  for (const processor of processors) {
    for (const at of await partitionsOf(processor, flags, ports)) found.push(await examine(processor, at, ports));
  }
  const lost = found.filter(({ losses }) => losses.length > 0);
  const dryRun = flags.yes !== true;
  if (dryRun) terminal.exitCode = lost.length > 0 ? 2 : 0;
  else {
    const audit = createLog('info', { write: (line) => terminal.err(line) });
    for (const processor of processors) {
      const ofIt = lost.filter((each) => each.processor === processor.name);
      if (ofIt.length > 0) await refuseCompany(ports.log, processor, 0, 'what accepts a loss');
    }
    for (const processor of processors) {
      for (const each of lost) if (each.processor === processor.name) await goOn(processor, each, flags, ports, audit);
    }
  }
  const report = { dryRun, lost: lost.length, partitions: found };
  answer(terminal, flags, report, describeAccept(report));
}

async function goOn(
  processor: Processor,
  { topic, partition, losses }: Finding,
  { by = whoami(), note = '' }: AcceptFlags,
  ports: PipelinePorts,
  audit: Log,
): Promise<void> {
  const after = await acceptLoss(processor, { topic, partition }, ports);
  if (after.losses.length > 0) {
    throw new CommandFailed(`${topic}/${partition} lost something again meanwhile: look at it anew without --yes.`);
  }
  const { epoch, next } = after;
  const lost = losses.map(({ code, missing }) => ({ code, missing }));
  audit.info('loss accepted', { processor: processor.name, topic, partition, lost, epoch, next, by, note });
}

function portsOf(
  { limits }: Config,
  given: Pick<PipelinePorts, 'logger' | 'meter' | 'clock'>,
): Pick<PipelinePorts, 'logger' | 'meter' | 'clock' | 'topics' | 'limits' | 'owned'> {
  return { ...given, topics: topicDirectory, limits, owned: new Set() };
}

/** The processors that are asked for, or a ConfigurationError. */
function chosen(all: readonly Processor[], { processor: name, topic }: AcceptFlags): Processor[] {
  const named = name === undefined ? all : all.filter((each) => each.name === name);
  if (named.length === 0) {
    const names = all.map((each) => each.name).join(', ');
    throw new ConfigurationError([{ where: '--processor', message: `there is no ${name}; there are: ${names}` }]);
  }
  const reading = topic === undefined ? named : named.filter(({ inputs }) => inputs.includes(topic));
  if (reading.length > 0) return [...reading];
  const inputs = [...new Set(named.flatMap((each) => each.inputs))].join(', ');
  throw new ConfigurationError([{ where: '--topic', message: `${topic} is not read; these are: ${inputs}` }]);
}

async function partitionsOf(
  { inputs }: Processor,
  { topic, partition: wanted }: AcceptFlags,
  { log }: Pick<PipelinePorts, 'log'>,
): Promise<TopicPartition[]> {
  const partitions: TopicPartition[] = [];
  for (const input of inputs.filter((each) => topic === undefined || each === topic)) {
    const there = (await log.ranges(input)).map(({ partition }) => partition);
    const missing = wanted?.filter((partition) => !there.includes(partition)) ?? [];
    if (missing.length > 0) {
      const message = `${input} has no partition ${missing.join(', ')}, only 0 to ${there.length - 1}`;
      throw new ConfigurationError([{ where: '--partition', message }]);
    }
    for (const partition of wanted ?? there) partitions.push({ topic: input, partition });
  }
  return partitions;
}

function numbers(text: string, before: readonly number[] = []): readonly number[] {
  const given = text.split(',').map((each) => each.trim());
  if (!given.every((each) => /^\d{1,6}$/.test(each)))
    throw new InvalidArgumentError('It is no list of numbers like 0,3.');
  return [...new Set([...before, ...given.map(Number)])];
}
