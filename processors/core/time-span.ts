const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `7d`, `12h`, `90m` or `30s` in milliseconds; null for anything else. */
export function parseTimeSpan(text: string): number | null {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  return unitMs === undefined ? null : Number(count) * unitMs;
}

/** The same as a person writes it, in the largest unit that leaves at most two decimals. */
export function formatTimeSpan(ms: number): string {
  const unit = Object.keys(UNITS_MS)
    .toReversed()
    .find((each) => ms >= (UNITS_MS[each] ?? 0));
  return unit === undefined ? `${ms} ms` : `${Number((ms / (UNITS_MS[unit] ?? 1)).toFixed(2))}${unit}`;
}
