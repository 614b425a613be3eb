import { splitBrandKey } from '../core/brand-amounts.ts';
import { DAY_MS, HOUR_MS, utcHour } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { passHour, tilesOf } from './brand-columns.ts';
import type { BrandDocument, BrandDocuments } from './brand-documents.ts';
import { PLACES } from './brand-places.ts';
import { DAY_HOURS, DAYS, HOURS } from './brand-tiles.ts';

/** Lets the clock go on to `now`. Documents follow when they are looked at (passTime). */
export function setClock(documents: BrandDocuments, now: Instant): void {
  if (now <= documents.clock) return;
  documents.clock = now;
  documents.hour = utcHour(now);
}

/** Brings a document to the hour of the clock: before anybody looks at what is in it. */
export function passTime(documents: BrandDocuments, document: BrandDocument): void {
  const from = document.hour + 1;
  document.hour = documents.hour;
  let isOther = false;
  for (const [place, column] of document.columns.entries()) {
    if (column === null) continue;
    const wasChanged = (tile: number): void => {
      if (column.changed[tile] === 1) return;
      column.changed[tile] = 1;
      document.changed.push(tile * PLACES + place);
    };
    for (let hour = from; hour <= documents.hour; hour++) if (passHour(column, hour, wasChanged)) isOther = true;
  }
  if (isOther) documents.unsent.add(document);
}

/** Lets time pass up to `now`: what leaves a window leaves it. */
export function advance(documents: BrandDocuments, now: Instant): void {
  setClock(documents, now);
  for (const document of documents.byKey.values()) {
    if (document.hour !== documents.hour) passTime(documents, document);
  }
}

/**
 * The first instant at which something may leave a window: the next hour, as long as there may be anything in hours, else the
 * next midnight; NEVER when nothing is left.
 */
export function nextLeaving({ hour, newestHour }: BrandDocuments): Instant {
  if (newestHour < 0) return NEVER;
  if (hour - newestHour < HOURS) return (hour + 1) * HOUR_MS;
  const today = Math.floor(hour / DAY_HOURS);
  return today - Math.floor(newestHour / DAY_HOURS) < DAYS ? (today + 1) * DAY_MS : NEVER;
}

/** A campaign of which nothing is left gives its name free, once that was published. */
export function dropEmpty(documents: BrandDocuments, document: BrandDocument): void {
  const { brandId, dimension, value } = splitBrandKey(document.key);
  if (dimension !== 'campaign') return;
  if (document.columns.some((column) => column !== null && tilesOf(column).next().done !== true)) return;
  documents.byKey.delete(document.key);
  documents.changed.delete(document);
  documents.byList.clear();
  documents.byName.get(brandId)?.get(dimension)?.delete(value);
}
