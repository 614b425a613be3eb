import type { ShopSummary } from './summary.ts';
import { renderLine, renderSummary } from './terminal.ts';

/** Where the summary is shown: `process.stdout` fits. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Painter {
  /** Shows how things stand now; as often as you like. */
  update(summary: ShopSummary): void;
  /** Shows how things stood in the end. */
  finish(summary: ShopSummary): void;
}

export interface PainterOptions {
  readonly colour: boolean;
  /** Nothing but one JSON object, at the end. */
  readonly json: boolean;
}

const LINE_EVERY_SECONDS = 5;
const DEFAULT_COLUMNS = 100;
const DEFAULT_ROWS = 50;

/** On a terminal the summary is drawn again in its place; elsewhere a line tells now and then how it goes. */
export function createPainter(screen: Screen, options: PainterOptions): Painter {
  if (options.json)
    return { update: () => undefined, finish: (summary) => screen.write(`${JSON.stringify(summary)}\n`) };
  return screen.isTTY === true ? terminalPainter(screen, options.colour) : linePainter(screen);
}

function terminalPainter(screen: Screen, colour: boolean): Painter {
  let linesAbove = 0;
  function draw(summary: ShopSummary, mostLines: number): void {
    // The last column stays free: a full line would wrap on some terminals, and the picture would wander.
    const columns = (screen.columns ?? DEFAULT_COLUMNS) - 1;
    const lines = renderSummary(summary, { columns, colour }).split('\n').slice(0, mostLines);
    const up = linesAbove === 0 ? '' : `\u001b[${linesAbove}A`;
    const drawn = lines.map((line) => `${line}\u001b[K\n`).join('');
    screen.write(`${up}\r${drawn}\u001b[J`);
    linesAbove = lines.length;
  }
  return {
    update: (summary) => {
      // The cursor cannot go up beyond the top of the screen, so what does not fit is left out until the end.
      draw(summary, (screen.rows ?? DEFAULT_ROWS) - 1);
    },
    finish: (summary) => {
      draw(summary, Number.POSITIVE_INFINITY);
    },
  };
}

function linePainter(screen: Screen): Painter {
  let nextAt = 0;
  return {
    update: (summary) => {
      if (summary.elapsedSeconds < nextAt) return;
      nextAt = summary.elapsedSeconds + LINE_EVERY_SECONDS;
      screen.write(`${renderLine(summary)}\n`);
    },
    finish: (summary) => {
      screen.write(`${renderSummary(summary, { columns: screen.columns ?? DEFAULT_COLUMNS, colour: false })}\n`);
    },
  };
}
