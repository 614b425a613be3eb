import type { Command } from 'commander';
import { describeConfig, loadConfig, type Config } from '../runtime/config.ts';
import { renderSettings } from '../runtime/config-docs.ts';
import { SETTING_NAMES, SETTINGS } from '../runtime/config-table.ts';
import type { Setting } from '../runtime/config-types.ts';
import { checkServices } from './config-connect.ts';
import { requireServices } from './connections.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

export function addConfig(program: Command, terminal: Terminal): void {
  const config = program.command('config').description('look at the settings of this process');
  config
    .command('check')
    .description('tell every fault of the settings; exit code 2 when there is one')
    .option('--connect', 'also try each service, and change nothing; exit code 1 when one does not do')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExamples:\n  $ kizuna config check && kizuna run\n  $ kizuna config check --connect')
    .action((flags: CheckFlags) => check(flags, terminal));
  config
    .command('print')
    .description('print each setting, its value and where that comes from; secrets are masked')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ kizuna config print | grep -v default')
    .action((flags: JsonFlag) => {
      const settings = describeConfig(terminal.environment).map((row) => ({ ...row, value: withoutLogin(row.value) }));
      const rows = settings.map(({ name, value, from }) => [name, from, shown(value)]);
      answer(terminal, flags, { settings }, columns([['SETTING', 'FROM', 'VALUE'], ...rows]));
    });
  config
    .command('docs')
    .description('list every setting there is')
    .option('--markdown', 'as a table for a document')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ kizuna config docs --markdown > settings.md')
    .action((flags: JsonFlag & { readonly markdown?: true }) => {
      answer(terminal, flags, { settings: rowsOfDocs() }, flags.markdown === true ? renderSettings() : pageOfDocs());
    });
}

type CheckFlags = JsonFlag & { readonly connect?: true };

async function check(flags: CheckFlags, terminal: Terminal): Promise<void> {
  const settings = loadConfig(terminal.environment);
  const runsOn = destinationOf(settings);
  const sound = `The settings are sound: ${runsOn}.`;
  if (flags.connect !== true) {
    answer(terminal, flags, { faults: [], runsOn }, sound);
    return;
  }
  const services = await checkServices(settings, requireServices(settings));
  if (services.some(({ faults }) => faults.length > 0)) terminal.exitCode = 1;
  const lines = services.flatMap(({ service, faults }) =>
    faults.length === 0 ? [`${service}: ready.`] : faults.map((fault) => `${service}: ${fault}.`),
  );
  answer(terminal, flags, { faults: [], runsOn, services }, [sound, ...lines].join('\n'));
}

function destinationOf({ services }: Config): string {
  if (services === null) return 'embedded, in memory, and nothing is kept';
  const { kafka, store, registry } = services;
  return `Kafka ${kafka.brokers.join(',')}, MongoDB database ${store.database}, schema registry ${withoutLogin(registry.url) ?? ''}`;
}

/** An address that is no secret may still carry a login. */
function withoutLogin(value: string | null): string | null {
  return value?.replace(/\/\/[^/@\s]+@/, '//(secret)@') ?? null;
}

const shown = (value: string | null): string => (value === null ? '(unset)' : value === '' ? '(empty)' : value);

function rowsOfDocs(): object[] {
  return SETTING_NAMES.map((name) => {
    const { type, fallback, meaning, secret }: Setting<unknown> = SETTINGS[name];
    return { name, type: type.label, default: fallback, meaning, secret };
  });
}

function pageOfDocs(): string {
  return SETTING_NAMES.map((name) => {
    const { type, fallback, meaning, secret }: Setting<unknown> = SETTINGS[name];
    const byDefault = fallback === null ? 'unset by default' : `default ${fallback === '' ? 'empty' : fallback}`;
    const file = secret ? `\n  Secret: never printed, and may come from a file named by ${name}_FILE.` : '';
    return `${name}  (${type.label}; ${byDefault})\n  ${meaning}${file}`;
  }).join('\n\n');
}
