import { parseArgs } from 'node:util';
import { HOP_BREAKS, runHop } from './hop-model.ts';
import { runJournal } from './journal-model.ts';
import { HARSH, JOURNAL_BREAKS, USUAL } from './journal-world.ts';

/**
 * The wide search: `node test/unit/protocol/search.ts --runs 100000 [--break <name>|all] [--harsh] [--from <seed>]`.
 * Without a break it must find nothing and exits 1 when it does; with one it prints how often the break was noticed and
 * the first seeds to pin.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    break: { type: 'string' },
    harsh: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const from = Number(values.from);
const scale = values.harsh ? HARSH : USUAL;

function search(title: string, run: (seed: number) => { readonly wrong: string | null }): number {
  const startedMs = performance.now();
  const bad: number[] = [];
  let sample = '';
  for (let seed = from; seed < from + runs; seed++) {
    const { wrong } = run(seed);
    if (wrong === null) continue;
    if (bad.length === 0) sample = ` (${wrong})`;
    bad.push(seed);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(
    `${title}: ${bad.length} bad of ${runs} in ${seconds} s ${bad.slice(0, 5).join(' ')}${sample}\n`,
  );
  return bad.length;
}

const wanted = (name: string): boolean => values.break === 'all' || values.break === name;
if (values.break === undefined) {
  const bad = search('journal', (seed) => runJournal(seed, scale, null)) + search('hop', (seed) => runHop(seed, null));
  process.exitCode = bad > 0 ? 1 : 0;
}
for (const broken of JOURNAL_BREAKS.filter(wanted)) search(broken, (seed) => runJournal(seed, scale, broken));
for (const broken of HOP_BREAKS.filter(wanted)) search(broken, (seed) => runHop(seed, broken));
