import type { MeasureDefinition } from '../core/definitions.ts';
import type { Fault } from '../core/errors.ts';
import { fingerprint } from '../core/fingerprint.ts';
import type { ReadFields } from '../core/processor.ts';
import { eventField, type EventField } from './event-fields.ts';
import { parseEventFilter, type EventFilter } from './event-filter.ts';
import { MEASURES } from './features.ts';
import { DISTINCT_MAX, distincts } from './gather-distinct.ts';
import { maxima, minima } from './gather-extreme.ts';
import { lasts } from './gather-last.ts';
import { signedSums, sums } from './gather-sum.ts';
import type { Gathered, Gathering } from './gathering.ts';
import type { FoldedInteraction } from './read-fields.ts';
import type { Domain } from './rule-paths.ts';

/** So many measures of its own a brand has at most. */
export const USER_MEASURES_MAX = 64;

/** A measure that a brand's owner defined. */
export interface UserMeasure {
  readonly definition: MeasureDefinition;
  /** Of what it says, in 52 bits: what was gathered for one that said something else is not its own. */
  readonly key: number;
  readonly filter: EventFilter;
  readonly field: EventField | null;
  /** Which values its paths can take. */
  readonly domain: Domain;
  readonly gathering: Gathering<unknown>;
  /** What an event that passes the filter is worth; undefined: it has no such value, and does not count at all. */
  valueOf(interaction: FoldedInteraction): Gathered | undefined;
}

const GATHERINGS = {
  count: sums,
  sum: signedSums,
  min: minima,
  max: maxima,
  distinct: distincts,
  last: lasts,
} as const satisfies Record<MeasureDefinition['of'], unknown>;

/** A value that is added up or compared is a whole number of up to ten digits, so that a lifetime's sum stays whole. */
const WHOLE_NUMBER = /^[+-]?\d{1,10}$/;
const NUMBER_MAX = 9_999_999_999;

const ANY = { min: -Infinity, max: Infinity, texts: null } as const;

/** Judges the measures and compiles them; every fault is pushed to `faults`. */
export function compileMeasures(definitions: readonly MeasureDefinition[], faults: Fault[]): UserMeasure[] {
  faults.push(...tooMany(definitions));
  return definitions.map((definition) => {
    const { id, of, value, where, file } = definition;
    const shipped: readonly string[] = MEASURES;
    if (shipped.includes(id)) faults.push({ where: `${file}: id`, message: `"${id}" is a measure of the product` });
    const filter = parseEventFilter(where, `${file}: where`, faults);
    const field = fieldOf(definition, faults);
    const domain = domainOf(of, field);
    return {
      definition,
      key: fingerprint(JSON.stringify([id, of, value, where])),
      filter,
      field,
      domain,
      // Each gathering is only ever given summaries of its own.
      gathering: of === 'sum' && domain.min >= 0 ? sums : GATHERINGS[of],
      valueOf: valueReader(of, field),
    };
  });
}

/** What has to be decoded of an interaction for it. */
export function fieldsAsked({ filter, field }: UserMeasure): ReadFields[] {
  const fields = [...filter.paths].map(eventField).filter((each) => typeof each !== 'string');
  return [...fields, ...(field === null ? [] : [field])].map(({ reads }) => reads);
}

function fieldOf({ of, value, file }: MeasureDefinition, faults: Fault[]): EventField | null {
  const where = `${file}: value`;
  if (of === 'count') {
    if (value !== null) faults.push({ where, message: 'is not for a count, which counts events' });
    return null;
  }
  if (value === null) {
    faults.push({ where, message: `is missing: ${of} needs a field of the event, for example "order.amountMinor"` });
    return null;
  }
  const field = eventField(value);
  if (typeof field === 'string') {
    faults.push({ where, message: field });
    return null;
  }
  const isNumeric = field.domain.type === 'integer' || field.path.startsWith('attributes.');
  if (of !== 'distinct' && of !== 'last' && !isNumeric) {
    faults.push({
      where,
      message: `"${value}" is no number: ${of} takes one, or an attribute that holds whole numbers`,
    });
  }
  return field;
}

function valueReader(of: MeasureDefinition['of'], field: EventField | null): UserMeasure['valueOf'] {
  if (field === null) return () => 1;
  const isOfAny = of === 'distinct' || of === 'last';
  return (interaction) => {
    const value = field.read(interaction);
    if (typeof value === 'number') return Math.abs(value) <= NUMBER_MAX ? value : undefined;
    if (typeof value === 'boolean') return String(value);
    if (typeof value !== 'string' || isOfAny) return typeof value === 'string' ? value : undefined;
    return WHOLE_NUMBER.test(value) ? Number(value) : undefined;
  };
}

function domainOf(of: MeasureDefinition['of'], field: EventField | null): Domain {
  switch (of) {
    case 'count':
      return { ...ANY, type: 'integer', min: 0, optional: false };
    case 'distinct':
      return { ...ANY, type: 'integer', min: 0, max: DISTINCT_MAX, optional: false };
    case 'sum':
      return { ...ANY, type: 'integer', min: field?.domain.min ?? -Infinity, optional: false };
    case 'min':
    case 'max':
      return { ...ANY, type: 'integer', min: field?.domain.min ?? -Infinity, optional: true };
    case 'last':
      if (field === null) return { ...ANY, type: 'text', optional: true };
      return field.domain.type === 'boolean'
        ? { ...ANY, type: 'text', texts: ['true', 'false'], optional: true }
        : { ...field.domain, optional: true };
  }
}

/** Brands with more measures than are allowed; measures of every brand count for each. */
function tooMany(definitions: readonly MeasureDefinition[]): Fault[] {
  const brands = new Set(definitions.flatMap((definition) => definition.brands));
  return [...brands].flatMap((brand) => {
    const own = definitions.filter(
      (definition) => definition.brands.includes('*') || definition.brands.includes(brand),
    );
    if (own.length <= USER_MEASURES_MAX) return [];
    const whose = brand === '*' ? 'every brand' : `brand ${brand}`;
    return [{ where: 'measures/', message: `holds ${own.length} for ${whose}, and ${USER_MEASURES_MAX} are allowed` }];
  });
}
