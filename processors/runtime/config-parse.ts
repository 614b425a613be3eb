import type { Fault } from '../core/errors.ts';
import { suggestion } from '../core/nearest-name.ts';
import { SETTING_NAMES, SETTINGS, type SettingName, type SettingValues } from './config-table.ts';
import { file as fileType, type Setting } from './config-types.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a whole text file; throws when it cannot. */
export type ReadFile = (path: string) => string;

/** What was given for one setting, before parsing; null when it is unset. */
interface Given {
  readonly text: string | null;
  /** The variable it came from. */
  readonly from: string;
}

const setting = (name: SettingName): Setting<unknown> => SETTINGS[name];

/** An empty variable counts as unset: that is how Compose and CI systems pass on what they do not have. */
const valueOf = (environment: Environment, name: string): string | null => environment[name] || null;

/**
 * Every setting's value, and every fault at once: values of the wrong form, unreadable files, names that do not exist. A
 * faulty setting has its default, so that the faults between settings can still be looked for.
 */
export function parseSettings(
  environment: Environment,
  readFile: ReadFile,
): { values: SettingValues; faults: Fault[] } {
  const faults = unknownNames(environment);
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of SETTING_NAMES) {
    const { text, from } = given(name, environment, readFile, faults);
    const parsed = setting(name).parse(text);
    if (parsed.success) {
      values[name] = parsed.data;
      continue;
    }
    faults.push({ where: from, message: parsed.error.issues.map((issue) => issue.message).join(', ') });
    values[name] = setting(name).parse(null).data;
  }
  // Every name of the table was just given the value that its own row parsed.
  return { values: values as SettingValues, faults };
}

function given(name: SettingName, environment: Environment, readFile: ReadFile, faults: Fault[]): Given {
  const direct = valueOf(environment, name);
  const pointer = setting(name).secret ? valueOf(environment, `${name}_FILE`) : null;
  if (direct !== null && pointer !== null)
    faults.push({ where: name, message: `is given twice, also by ${name}_FILE` });
  const path = setting(name).type === fileType ? direct : pointer;
  if (path === null) return { text: direct, from: name };
  const from = path === pointer ? `${name}_FILE` : name;
  try {
    return { text: readFile(path).replace(/\r?\n$/, ''), from };
  } catch (error) {
    faults.push({
      where: from,
      message: `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
    });
    return { text: null, from };
  }
}

function unknownNames(environment: Environment): Fault[] {
  const known = new Set<string>(SETTING_NAMES);
  for (const name of SETTING_NAMES) if (setting(name).secret) known.add(`${name}_FILE`);
  return Object.keys(environment)
    .filter((name) => name.startsWith('KIZUNA_') && !known.has(name))
    .map((name) => ({ where: name, message: `is not a setting${suggestion(name, known)}` }));
}
