import { InvalidArgumentError, type Command } from 'commander';
import type { Definitions } from '../core/definitions.ts';
import { ConfigurationError } from '../core/errors.ts';
import { fingerprint } from '../core/fingerprint.ts';
import { suggestion } from '../core/nearest-name.ts';
import { ByteReader } from '../core/packing.ts';
import type { Instant } from '../core/processor.ts';
import { createCustomer } from '../customer/processor.ts';
import { loadDefinitions, shippedDefinitions } from '../definitions/load.ts';
import { loadConfig } from '../runtime/config.ts';
import { scanStates } from '../runtime/mongo/scan-states.ts';
import { storeName } from '../runtime/pipeline-ports.ts';
import { brandId } from './brand-argument.ts';
import { requireServices } from './connections.ts';
import { diffText } from './definitions-diff-text.ts';
import { MembershipDiff, type SegmentDiff } from './membership-diff.ts';
import { Progress } from './progress.ts';
import { parseInstant } from './replay.ts';
import { answer, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { wholeNumber } from './whole-number.ts';

interface DiffFlags extends JsonFlag {
  readonly definitions: string;
  readonly brand?: string;
  readonly segment?: readonly string[];
  readonly limit: number;
  readonly sample?: number;
  readonly at?: Instant;
}

/** What other definitions would do to the customers that are stored. */
export interface DefinitionsDiff {
  readonly at: string;
  /** Hashes of the two sets. */
  readonly from: string;
  readonly to: string;
  /** Documents there are, of which `evaluated` were looked at; some are not evaluated: identifiers that are linked to another. */
  readonly stored: number;
  readonly evaluated: number;
  /** Of those: last evaluated under neither set, so that what was published last stands for what they are in now. */
  readonly ofOtherDefinitions: number;
  readonly isSample: boolean;
  readonly segments: readonly SegmentDiff[];
}

const SAMPLES_MAX = 1_000;
const SAMPLES = 5;

export function addDefinitionsDiff(definitions: Command, terminal: Terminal): void {
  definitions
    .command('diff')
    .description('tell who would enter and leave which segment under other definitions; exit code 2 when anybody would')
    .requiredOption('--definitions <dir>', 'folder of the definitions to come')
    .option('--brand <brand>', 'customers of this brand alone', brandId)
    .option('--segment <id...>', 'these segments alone')
    .option(
      '--limit <n>',
      'how many ids to tell of each segment’s entering and leaving',
      wholeNumber(SAMPLES_MAX),
      SAMPLES,
    )
    .option('--sample <share>', 'look at this share of the customers alone, like 0.01, and estimate', shareOf)
    .option(
      '--at <time>',
      'as of then, if nothing happens until then (ISO 8601 with a zone; default: now)',
      parseInstant,
    )
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nReads the stored customers, which follow the topics by a second or so, and changes nothing. Both sets, the present one\n' +
        '(KIZUNA_DEFINITIONS, else the shipped set) and the one to come, are evaluated as the processor does it, silence up to\n' +
        'now included. A sample is the same customers each time, with intervals of 95 percent.\n\n' +
        'Example:\n  $ kizuna definitions diff --definitions ./definitions-next --brand demo',
    )
    .action((flags: DiffFlags) => diff(flags, terminal));
}

function shareOf(text: string): number {
  const share = /^0?\.\d{1,6}$/.test(text) ? Number(text) : 0;
  if (share > 0) return share;
  throw new InvalidArgumentError('It is no share between 0 and 1, like 0.01.');
}

async function diff(flags: DiffFlags, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const { store } = requireServices(config);
  const from = await loadDefinitions(config.definitionsFolder ?? shippedDefinitions);
  const to = await loadDefinitions(flags.definitions);
  refuseUnknown(flags.segment ?? [], [from, to]);
  const now = createCustomer(from);
  const next = createCustomer(to);
  const at = flags.at ?? Date.now();
  const isWanted = (segment: string): boolean => flags.segment?.includes(segment) ?? true;
  const found = new MembershipDiff(flags.limit, isWanted);
  const sampled = flags.sample === undefined ? null : sampler(flags.sample);
  const progress = new Progress(terminal);
  const brandsSeen = new Set<string>();
  let [stored, read, ofOtherDefinitions] = [0, 0, 0];
  const choose = sampled === null ? null : (key: string) => ((stored += 1), sampled(key));
  const prefix = flags.brand === undefined ? '' : `${flags.brand}|`;
  for await (const document of scanStates(store, storeName(now), prefix, choose)) {
    read += 1;
    progress.often(() => `${read} customers evaluated${sampled === null ? '' : `, of ${stored} seen`}`);
    const state = now.state.unpack(new ByteReader(document.state));
    // Records may be stamped a little ahead of this machine's clock.
    const then = Math.max(at, now.clock(state));
    const after = next.membersAt(state, then);
    if (after === null) continue;
    // Under definitions that are not here nothing can be evaluated: what was published last stands.
    const isKnown = now.isCurrent(state) || next.isCurrent(state);
    if (!isKnown) ofOtherDefinitions += 1;
    const before = now.isCurrent(state) ? now.membersAt(state, then) : isKnown ? after : state.segments.ids;
    found.add(state.brandId, state.subject, before ?? [], after);
    brandsSeen.add(state.brandId);
  }
  if (sampled === null) stored = read;
  for (const brand of brandsSeen) {
    for (const { id, brands } of [...from.segments, ...to.segments]) {
      if (brands.includes('*') || brands.includes(brand)) found.know(brand, id);
    }
  }
  const segments = found.segments(sampled === null ? null : { read, stored });
  if (segments.some(({ enter, leave }) => enter.customers + leave.customers > 0)) terminal.exitCode = 2;
  const told: DefinitionsDiff = {
    ...{ at: new Date(at).toISOString(), from: from.hash, to: to.hash, stored, evaluated: found.customers },
    ...{ ofOtherDefinitions, isSample: sampled !== null, segments },
  };
  answer(terminal, flags, told, diffText(told));
}

/** The same customers each time, whatever their ids look like. */
function sampler(share: number): (key: string) => boolean {
  const limit = share * 2 ** 52;
  return (key) => fingerprint(key) < limit;
}

function refuseUnknown(wanted: readonly string[], sets: readonly Definitions[]): void {
  const known = [...new Set(sets.flatMap(({ segments }) => segments.map(({ id }) => id)))];
  const unknown = wanted.filter((id) => !known.includes(id));
  if (unknown.length === 0) return;
  throw new ConfigurationError(
    unknown.map((id) => ({ where: `--segment ${id}`, message: `is in neither set${suggestion(id, known)}` })),
  );
}
