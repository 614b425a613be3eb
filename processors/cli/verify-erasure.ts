import type { Command } from 'commander';
import { subjectKey } from '../core/identity.ts';
import { loadConfig } from '../runtime/config.ts';
import { brandId } from './brand-argument.ts';
import { timeText } from './dlq-text.ts';
import { receiptsAbout } from './erase-receipts.ts';
import { subjectsGiven } from './erase.ts';
import type { ErasurePlace } from './erasure-places.ts';
import { scanStores, scanTopics } from './erasure-scan.ts';
import { hashOf, Sought } from './erasure-subjects.ts';
import { openErasureWorld } from './erasure-world.ts';
import { Progress } from './progress.ts';
import { answer, columns, JSON_OPTION, type JsonFlag, type Terminal } from './terminal.ts';

export function addVerifyErasure(program: Command, terminal: Terminal): void {
  program
    .command('verify-erasure')
    .description('look for a customer in every topic, journal and document, and tell what takes away what is left')
    .argument('<brand>', 'the brand', brandId)
    .argument('<customer>', 'one of the identifiers, with u:, e: or a: in front')
    .argument('[also...]', 'further identifiers; those of receipts are looked for without being named')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nReads everything, which takes as long as there is much of it, and leaves no trace. Identifiers that were erased together are\n' +
        'known from the receipts, as far as KIZUNA_ERASURE_KEY is the one that these were written with. Exit code 0 when nothing is\n' +
        'found, else 1. Marks are what only says that something is gone: tombstones, and documents that refuse what was before.\n\n' +
        'Example:\n  $ kizuna verify-erasure demo u:42',
    )
    .action((brand: string, customer: string, also: readonly string[], flags: JsonFlag) =>
      verify(brand, subjectsGiven([customer, ...also]), flags, terminal),
    );
}

async function verify(brand: string, subjects: readonly string[], flags: JsonFlag, terminal: Terminal): Promise<void> {
  const config = loadConfig(terminal.environment);
  const { erasureKey, purgeAfterMs } = config;
  await using world = await openErasureWorld(config);
  // Without the key nothing is known but what was typed.
  const known = new Set(subjects.map((subject) => (erasureKey === null ? subject : hashed(erasureKey, subject))));
  const receipts = erasureKey === null ? [] : await receiptsAbout(world, brand, known);
  for (const { subjects: named } of receipts) for (const each of named) known.add(each);
  const sought = new Sought(brand, subjects, erasureKey === null ? [] : [...known], erasureKey ?? '');
  const progress = new Progress(terminal);
  const tell = (line: () => string): void => {
    progress.often(line);
  };
  const topics = await scanTopics(world, sought, { purgeAfterMs, now: Date.now() }, tell);
  const places = [...topics, ...(await scanStores(world, sought, tell))];
  const found = places.reduce((sum, place) => sum + place.found, 0);
  if (found > 0) terminal.exitCode = 1;
  const document = {
    ...{ brand, subjects, identifiers: known.size, found },
    places: places.map((place) => ({ ...place, until: place.until === null ? null : timeText(place.until) })),
  };
  answer(terminal, flags, document, describe(places, found));

  function hashed(key: string, subject: string): string {
    return hashOf(key, subjectKey(brand, subject));
  }
}

const WAYS: Readonly<Record<NonNullable<ErasurePlace['by']>, string>> = {
  retention: 'retention of the topic',
  purge: 'the purge (KIZUNA_PURGE_AFTER)',
  compaction: 'compaction, which a tombstone waits for',
  erase: '`kizuna erase`',
};

function describe(places: readonly ErasurePlace[], found: number): string {
  const rows = places.map(({ kind, name, scanned, found: here, marks, by, until }) => {
    const end = here === 0 ? '' : by === null ? 'nothing: change its settings, or delete it' : WAYS[by];
    return [name, `${scanned} ${UNITS[kind]}`, String(here), String(marks), until === null ? '' : timeText(until), end];
  });
  const table = columns([['PLACE', 'READ', 'FOUND', 'MARKS', 'GONE BY', 'TAKEN AWAY BY'], ...rows]);
  const last = found === 0 ? 'Nothing is found: 0 everywhere.' : `${found} found.`;
  return `${table}\n${last}`;
}

const UNITS = { topic: 'records', journal: 'blocks', documents: 'documents' } as const;
