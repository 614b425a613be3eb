import type { Command } from 'commander';
import { checkHistory } from '../../schemas/check.ts';
import { publishedVersions } from '../../schemas/history.ts';
import { registerSchemas, type Registration } from '../../schemas/register.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { loadConfig } from '../runtime/config.ts';
import { openRegistry } from './connections.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

type RegisterFlags = JsonFlag & { readonly dryRun?: true };

export function addSchemas(program: Command, terminal: Terminal): void {
  const schemas = program.command('schemas').description('keep the schemas of the records compatible and registered');
  schemas
    .command('check')
    .description('hold the current schemas against every published version, both ways')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nNeeds no service. Exit code 1 when a reader or a writer would break.\n\nExample:\n  $ kizuna schemas check',
    )
    .action((flags: JsonFlag) => {
      check(flags, terminal);
    });
  schemas
    .command('register')
    .description('register the schema of every topic, its compatibility policy first; harmless when repeated')
    .option('--dry-run', 'only tell what is missing: exit code 2 when something is')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nSubjects are <KIZUNA_PREFIX><topic>-value.\n\nExample:\n  $ kizuna schemas register --dry-run',
    )
    .action((flags: RegisterFlags) => register(flags, terminal));
}

function check(flags: JsonFlag, terminal: Terminal): void {
  const faults = checkHistory(TOPICS);
  const records = [...new Set(TOPICS.flatMap(({ schema }) => schema ?? []))].sort();
  const versions = records.map((record) => ({ record, versions: publishedVersions(record).length }));
  if (faults.length > 0) terminal.exitCode = 1;
  const lines =
    faults.length > 0
      ? faults.map(
          ({ record, version, field, reason }) =>
            `${[record, version === null ? '' : ` version ${version}`, field === '' ? '' : ` ${field}`].join('')}: ${reason}`,
        )
      : [
          'Every schema is compatible with all its published versions.',
          columns(versions.map(({ record, versions: count }) => [record, `${count} published`])),
        ];
  answer(terminal, flags, { faults, records: versions }, lines.join('\n'));
}

async function register(flags: RegisterFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  await using stack = new AsyncDisposableStack();
  const dryRun = flags.dryRun === true;
  const subjects = await registerSchemas(openRegistry(config, stack), TOPICS, { prefix: config.prefix, dryRun });
  const missing = subjects.filter(({ changed }) => changed).length;
  if (dryRun && missing > 0) terminal.exitCode = 2;
  const row = ({ subject, id, version, changed }: Registration): string[] => [
    changed ? (dryRun ? 'missing' : 'registered') : 'unchanged',
    subject,
    version === null ? '' : `version ${version}, id ${id}`,
  ];
  const summary = dryRun
    ? `${missing} of ${subjects.length} would be registered.`
    : `${missing} of ${subjects.length} registered, ${subjects.length - missing} were there already.`;
  answer(terminal, flags, { dryRun, subjects }, `${columns(subjects.map(row))}\n${summary}`);
}
