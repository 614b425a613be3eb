import type { FileHandle } from 'node:fs/promises';
import type { Instant } from '../core/processor.ts';
import { CommandFailed } from './failure.ts';
import { textLines } from './text-lines.ts';

const NEEDED = ['customer', 'date'] as const;
const ZONED = /(Z|[+-]\d{2}:?\d{2}|^\d{4}-\d{2}-\d{2})$/;

/**
 * Reads orders from CSV: a heading that names the columns `customer` and `date`, in any place, then an order a line. A date is
 * a UTC day (2026-03-02) or an ISO time with its zone. Answers the orders of each customer, in order of time.
 *
 * @throws CommandFailed with the line that is none
 */
export async function readOrderCsv(
  file: string,
  input: FileHandle,
  progress: (lines: number) => void,
): Promise<Instant[][]> {
  const orders = new Map<string, Instant[]>();
  let places: readonly number[] | null = null;
  for await (const { number, line } of textLines(input, progress)) {
    const cells = cellsOf(number === 1 ? line.replace(/^\uFEFF/, '') : line);
    if (cells === null) throw new CommandFailed(`${file} line ${number}: a quotation mark is not closed`);
    if (places === null) {
      places = placesOf(file, cells);
      continue;
    }
    const [customer = '', date = ''] = places.map((place) => cells[place]?.trim() ?? '');
    const at = ZONED.test(date) ? Date.parse(date) : NaN;
    if (customer === '') throw new CommandFailed(`${file} line ${number}: has no customer`);
    if (!Number.isSafeInteger(at) || at < 0) {
      throw new CommandFailed(`${file} line ${number}: the date is none like 2026-03-02 or 2026-03-02T09:30:00Z`);
    }
    const known = orders.get(customer);
    if (known === undefined) orders.set(customer, [at]);
    else known.push(at);
  }
  return [...orders.values()].map((times) => times.sort((a, b) => a - b));
}

function placesOf(file: string, heading: readonly string[]): number[] {
  const names = heading.map((name) => name.trim().toLowerCase());
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length === 0) return NEEDED.map((name) => names.indexOf(name));
  throw new CommandFailed(
    `${file}: its first line must name the columns customer and date; missing: ${missing.join(', ')}`,
  );
}

/** The cells of a line, quotation marks taken off (RFC 4180, but for line breaks inside a cell); null for an open one. */
function cellsOf(line: string): string[] | null {
  const cells: string[] = [];
  const cell = /\s*"((?:[^"]|"")*)"\s*(,|$)|([^,"]*)(,|$)/y;
  while (cell.lastIndex <= line.length) {
    const found = cell.exec(line);
    if (found === null) return null;
    const [, quoted, afterQuoted, plain, afterPlain] = found;
    cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if ((afterQuoted ?? afterPlain) !== ',') return cells;
  }
  return cells;
}
