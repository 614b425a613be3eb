import { z } from 'zod';
import { parseTimeSpan } from '../core/time-span.ts';

/** How the text of an environment variable becomes a value, and how that is told in one word or two. */
export interface SettingType<T> {
  readonly label: string;
  readonly schema: z.ZodType<T, string>;
}

/** One row of the table of settings. `fallback` is the text that stands in when the variable is unset; null: no value. */
export interface Setting<T> {
  readonly type: SettingType<unknown>;
  readonly fallback: string | null;
  readonly meaning: string;
  /** Never printed, and may come from a file: `NAME_FILE`. */
  readonly secret: boolean;
  parse(text: string | null): z.ZodSafeParseResult<T>;
}

export const text: SettingType<string> = { label: 'text', schema: z.string() };

/** A file, read at boot: the value is its content. */
export const file: SettingType<string> = { label: 'path of a file', schema: z.string() };

export const list: SettingType<readonly string[]> = {
  label: 'comma-separated list',
  schema: z
    .string()
    .transform((value) => value.split(',').map((item) => item.trim()))
    .refine((items) => items.every((item) => item !== ''), 'has an empty item'),
};

export const flag: SettingType<boolean> = {
  label: 'true or false',
  schema: z.enum(['true', 'false'], { error: 'is neither true nor false' }).transform((value) => value === 'true'),
};

export function choice<const T extends string>(values: readonly [T, ...T[]]): SettingType<T> {
  return {
    label: values.join(', ').replace(/, (?=[^,]*$)/, ' or '),
    schema: z.string().pipe(z.enum(values, { error: `is none of ${values.join(', ')}` })),
  };
}

/** A text of a certain form; `form` completes the sentence "must be …". */
export function matching(label: string, pattern: RegExp, form: string): SettingType<string> {
  return { label, schema: z.string().regex(pattern, `must be ${form}`) };
}

/** A whole number; `unit` says of what. */
export function whole(unit: string, min: number, max: number = Number.MAX_SAFE_INTEGER): SettingType<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return {
    label: unit,
    schema: z
      .string()
      .regex(/^\d+$/, `must be a whole number ${range}`)
      .transform(Number)
      .refine((value) => value >= min && value <= max, `must be a whole number ${range}`),
  };
}

/** A time in milliseconds; null for `never`. */
export const timeSpan: SettingType<number | null> = {
  label: 'time like 7d or 12h, or never',
  schema: z
    .string()
    .refine(
      (value) => value === 'never' || parseTimeSpan(value) !== null,
      'must be a time like 7d, 12h, 90m or 30s, or never',
    )
    .transform(parseTimeSpan),
};

type Options = { readonly secret?: boolean };

/** A setting that has no value unless it is given. */
export function optional<T>(type: SettingType<T>, meaning: string, options: Options = {}): Setting<T | null> {
  return {
    type,
    fallback: null,
    meaning,
    secret: options.secret === true,
    parse: (given) => (given === null ? { success: true, data: null } : type.schema.safeParse(given)),
  };
}

/** A setting with a default. */
export function defaulted<T>(type: SettingType<T>, fallback: string, meaning: string): Setting<T> {
  return { type, fallback, meaning, secret: false, parse: (given) => type.schema.safeParse(given ?? fallback) };
}
