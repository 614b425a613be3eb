import { InvalidArgumentError, Option, type Command } from 'commander';
import { ConfigurationError } from '../core/errors.ts';
import type { Instant } from '../core/processor.ts';
import { rankTouchpoints, type RankedTouchpoint } from '../touchpoint/ranking.ts';
import { SPANS } from '../touchpoint/windows.ts';
import { brandId } from './brand-argument.ts';
import { printable, timeText } from './dlq-text.ts';
import { CommandFailed } from './failure.ts';
import { Progress } from './progress.ts';
import { parseInstant } from './replay.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';
import { storedAnswers } from './touchpoints-stored.ts';

interface RankFlags extends JsonFlag {
  readonly brand: string;
  readonly window: WindowName;
  readonly rate: number;
  readonly at?: Instant;
}

/** In the order of SPANS. */
const WINDOWS = ['24h', '7d', '30d', '90d', '365d'] as const;
type WindowName = (typeof WINDOWS)[number];

export function addTouchpoints(program: Command, terminal: Terminal): void {
  const touchpoints = program.command('touchpoints').description("look at a brand's touchpoints");
  touchpoints
    .command('rank')
    .description('tell where the journey hurts most, and where that is more than chance')
    .requiredOption('--brand <id>', 'the brand, as in the events', brandId)
    .addOption(new Option('--window <window>', 'over how long').choices(WINDOWS).default('30d'))
    .option('--rate <q>', 'of the touchpoints told significant, so large a share may be so by chance', parseRate, 0.05)
    .option('--at <time>', 'as of then, if nothing happens (ISO 8601 with a zone; default: now)', parseInstant)
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      "\nOf each touchpoint the share of dissatisfied answers, on any channel and metric, against the brand's other touchpoints:\n" +
        "Fisher's exact test, corrected for the number of touchpoints by Benjamini and Hochberg. Read from the stored documents.\n\n" +
        'Example:\n  $ kizuna touchpoints rank --brand demo --window 90d',
    )
    .action((flags: RankFlags) => rank(flags, terminal));
}

async function rank(flags: RankFlags, terminal: Terminal): Promise<void> {
  const { brand, window, rate } = flags;
  const span = SPANS[WINDOWS.indexOf(window)] ?? SPANS[0];
  const at = flags.at ?? Date.now();
  const progress = new Progress(terminal);
  const { touchpoints, asOf } = await storedAnswers(terminal, { brand, span, at }, (documents) => {
    progress.often(() => `${documents} documents read`);
  });
  if (asOf < 0) throw new CommandFailed(`There is no touchpoint of brand ${brand}.`);
  if (flags.at !== undefined && at < asOf) {
    const message = `is before the last change of a touchpoint, ${timeText(asOf)}: the past is not kept`;
    throw new ConfigurationError([{ where: '--at', message }]);
  }
  const ranked = rankTouchpoints(touchpoints, rate);
  const document = {
    brand,
    window,
    at: timeText(at),
    asOf: timeText(asOf),
    falseDiscoveryRate: rate,
    touchpoints: ranked,
  };
  const heading = `touchpoints of ${brand} over ${window} up to ${timeText(at)}`;
  answer(terminal, flags, document, ranked.length === 0 ? `${heading}: no answers` : `${heading}\n\n${table(ranked)}`);
}

function table(ranked: readonly RankedTouchpoint[]): string {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const heading = [
    'TOUCHPOINT',
    'ANSWERS',
    'DISSATISFIED',
    'EXPECTED',
    'SHARE',
    'INTERVAL',
    'COMPLAINTS',
    'ADJUSTED P',
    '',
  ];
  const rows = ranked.map((each) => [
    printable(each.touchpoint),
    String(each.answers),
    String(each.dissatisfied),
    each.expected.toFixed(1),
    percent(each.share),
    `${percent(each.low)} to ${percent(each.high)}`,
    String(each.complaints),
    each.adjustedP.toPrecision(2),
    each.isSignificant ? 'hurts' : '',
  ]);
  return columns([heading, ...rows]);
}

function parseRate(text: string): number {
  const rate = /^0?\.\d{1,6}$/.test(text) ? Number(text) : 0;
  if (rate <= 0) throw new InvalidArgumentError('It is no rate above 0 and below 1, such as 0.05.');
  return rate;
}
