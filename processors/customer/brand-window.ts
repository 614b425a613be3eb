import { splitBrandKey } from '../core/brand-amounts.ts';
import { DAY_MS, utcDay } from '../core/event-time.ts';
import { NEVER, type Instant } from '../core/processor.ts';
import { PLACES, setCell, WINDOW_DAYS, type BrandDocument, type BrandDocuments } from './brand-documents.ts';

/** Lets time pass up to `now`: days that leave the window are forgotten. */
export function advance(documents: BrandDocuments, now: Instant): void {
  if (now > documents.clock) documents.clock = now;
  const oldest = utcDay(documents.clock) - WINDOW_DAYS;
  if (documents.oldestDay >= oldest) return;
  documents.oldestDay = NEVER;
  for (const document of documents.byKey.values()) {
    for (const cell of document.cells.keys()) {
      const day = Math.floor(cell / PLACES);
      if (day >= oldest) {
        documents.oldestDay = Math.min(documents.oldestDay, day);
        continue;
      }
      setCell(documents, document, cell, 0);
      documents.unsent.add(document);
    }
  }
}

/** The first instant at which a day leaves the window; NEVER when there is none. */
export function nextLeaving({ oldestDay }: BrandDocuments): Instant {
  return oldestDay === NEVER ? NEVER : (oldestDay + WINDOW_DAYS + 1) * DAY_MS;
}

/** A campaign of which nothing is left gives its name free, once that was published. */
export function dropEmpty(documents: BrandDocuments, document: BrandDocument): void {
  if (document.cells.size > 0 || document.standings.some((count) => count !== 0)) return;
  const { brandId, dimension, value } = splitBrandKey(document.key);
  if (dimension !== 'campaign') return;
  documents.byKey.delete(document.key);
  documents.changed.delete(document);
  documents.byList.clear();
  documents.byName.get(brandId)?.get(dimension)?.delete(value);
}
