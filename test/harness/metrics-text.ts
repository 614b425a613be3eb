/** One line of a scrape. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a process says of itself: its samples, and the names it declares. */
export interface Scrape {
  readonly declared: readonly string[];
  readonly samples: readonly MetricSample[];
}

/** GET /metrics of a running Kizuna. */
export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  const declared: string[] = [];
  const samples: MetricSample[] = [];
  for (const line of (await response.text()).split('\n')) {
    const type = /^# TYPE (\S+) /.exec(line)?.[1];
    if (type !== undefined) declared.push(type);
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name !== undefined) samples.push({ name, labels: labelsOf(labels), value: Number(value) });
  }
  return { declared, samples };
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(text.matchAll(/([a-z_]+)="([^"]*)"/g), ([, name = '', value = '']) => [name, value]),
  );
}

/** What went into each processor, and what became of it: `applied`, `replayed`, `skipped.<reason>`, `rejected.<reason>`. */
export interface Accounts {
  readonly consumed: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** consumed − (applied + skipped + rejected + replayed): 0, always. */
  readonly missing: number;
}

export function accountsOf({ samples }: Scrape): Readonly<Record<string, Accounts>> {
  const accounts: Record<string, Accounts> = {};
  for (const { name, labels, value: consumed } of samples) {
    const processor = labels['processor'] ?? '';
    if (name !== 'kizuna_records_consumed_total') continue;
    const outcomes: Record<string, number> = {};
    for (const each of samples) {
      if (each.name !== 'kizuna_records_total' || each.labels['processor'] !== processor || each.value === 0) continue;
      const { outcome = '', reason = '' } = each.labels;
      outcomes[reason === '' ? outcome : `${outcome}.${reason}`] = each.value;
    }
    const counted = Object.values(outcomes).reduce((sum, value) => sum + value, 0);
    accounts[processor] = { consumed, outcomes, missing: consumed - counted };
  }
  return accounts;
}

/** The values of one gauge by the value of `label`, added up over everything else. */
export function gaugeBy({ samples }: Scrape, metric: string, label: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { name, labels, value } of samples) {
    const of = labels[label];
    if (name === metric && of !== undefined) sums[of] = (sums[of] ?? 0) + value;
  }
  return sums;
}

/** The values of one counter or gauge, added up over all labels. */
export function sumOf({ samples }: Scrape, metric: string): number {
  return samples.reduce((sum, { name, value }) => (name === metric ? sum + value : sum), 0);
}
