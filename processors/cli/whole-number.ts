import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number from 1 to `max`. */
export function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (count < 1 || count > max) throw new InvalidArgumentError(`It is no whole number from 1 to ${max}.`);
    return count;
  };
}
