import { InvalidArgumentError } from 'commander';

/** @throws InvalidArgumentError for what cannot be the id of a brand */
export function brandId(text: string): string {
  if (!/^[a-z0-9-]{1,64}$/.test(text)) throw new InvalidArgumentError('It is no brand: 1 to 64 of a-z, 0-9 and -.');
  return text;
}
