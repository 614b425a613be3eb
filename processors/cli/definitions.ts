import type { Command } from 'commander';
import { ConfigurationError } from '../core/errors.ts';
import { checkDefinitions } from '../definitions/check.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import { loadConfig } from '../runtime/config.ts';
import { addDefinitionsDiff } from './definitions-diff.ts';
import { addDefinitionsGenerations } from './definitions-generations.ts';
import { answer, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

export function addDefinitions(program: Command, terminal: Terminal): void {
  const definitions = program
    .command('definitions')
    .description(
      'look at, compare and switch segments, measures, churn models, brands, surveys, touchpoint settings and experiments',
    );
  definitions
    .command('check')
    .description('tell every fault of a set of definitions; exit code 2 when there is one')
    .argument(
      '[dir]',
      'folder of brands/, segments/, measures/ and churn/ (default: KIZUNA_DEFINITIONS, else the shipped set)',
    )
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ kizuna definitions check ./definitions')
    .action((folder: string | undefined, flags: JsonFlag) => check(folder, flags, terminal));
  addDefinitionsDiff(definitions, terminal);
  addDefinitionsGenerations(definitions, terminal);
}

async function check(folder: string | undefined, flags: JsonFlag, terminal: Terminal): Promise<void> {
  const directory = folder ?? loadConfig(terminal.environment).definitionsFolder ?? shippedDefinitions;
  const faults = await checkDefinitions(directory);
  if (faults.length > 0) throw new ConfigurationError(faults);
  const { hash, segments, measures, churn, brands } = await loadDefinitions(directory);
  const counts = { segments: segments.length, measures: measures.length, churnModels: churn.size, brands: brands.size };
  const text = [
    `The definitions of ${directory} are sound.`,
    `hash      ${hash}`,
    `segments  ${counts.segments}`,
    `measures  ${counts.measures}`,
    `churn     ${counts.churnModels}`,
    `brands    ${counts.brands}`,
  ].join('\n');
  answer(terminal, flags, { faults: [], directory, hash, ...counts }, text);
}
