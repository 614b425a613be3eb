/** Clocks of devices differ; further ahead of the record's own time than this is an error. */
export const AHEAD_MS = 5 * 60 * 1000;
