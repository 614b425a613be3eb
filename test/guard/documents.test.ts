import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createProcessors, PROCESSOR_NAMES } from '../../processors/catalog.ts';
import { ERROR_CODES } from '../../processors/core/errors.ts';
import { loadDefinitions, shippedDefinitions } from '../../processors/definitions/load.ts';
import { SETTING_NAMES, SETTINGS } from '../../processors/runtime/config-table.ts';
import type { Setting } from '../../processors/runtime/config-types.ts';
import { METRIC_NAMES } from '../../processors/runtime/metrics-table.ts';
import { ERASURES_COLLECTION } from '../../processors/runtime/mongo/erasure-store.ts';
import { RECEIPTS_COLLECTION } from '../../processors/runtime/mongo/dead-letter-receipts.ts';
import { GENERATIONS_COLLECTION } from '../../processors/runtime/mongo/definition-generations.ts';
import { MARKS_COLLECTION } from '../../processors/runtime/mongo/fold-marks.ts';
import { groupName, storeName } from '../../processors/runtime/pipeline-ports.ts';
import { TOPICS } from '../../topics/catalog.ts';
import { kizuna } from '../harness/recording-terminal.ts';
import { renderReadme, sectionOf } from './reference-docs.ts';
import { filesBelow, ROOT } from './repository.ts';

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const all = filesBelow(ROOT).map((file) => relative(ROOT, file).split(sep).join('/'));
const documents = all.filter((file) => file.endsWith('.md') && !file.startsWith('test/guard/fixtures/'));
const FENCE = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;

const withoutFences = (text: string): string => text.replace(FENCE, '');
/** What stands in backticks and in fenced blocks: what a reader would type or look for. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(FENCE)].flatMap(([, , block = '']) => block.split('\n'));
  const spans = [...withoutFences(text).matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  return [...blocks, ...spans];
}

/** Every match of `pattern` in the documents that `isKnown` does not know, with its document. */
function unknown(pattern: RegExp, isKnown: (name: string) => boolean, textsOf = (text: string) => [text]): string[] {
  return documents.flatMap((file) =>
    textsOf(textOf(file)).flatMap((text) =>
      [...text.matchAll(pattern)].flatMap(([match, name = match]) => (isKnown(name) ? [] : [`${file}: ${name}`])),
    ),
  );
}

/** The cells of the rows between the markers `name`, heading and rule left out. */
function rowsOf(file: string, name: string): string[][] {
  const lines = (sectionOf(textOf(file), name) ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
const ticked = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

/** GitHub's name for a heading. */
const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const slugsOf = (file: string): string[] =>
  [...withoutFences(textOf(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slugOf(heading));

describe('the documents', () => {
  test('are the ones that a newcomer looks for', () => {
    expect(documents).toEqual(
      expect.arrayContaining([
        'README.md',
        'ARCHITECTURE.md',
        'CONTRIBUTING.md',
        'CHANGELOG.md',
        'deploy/runbooks/input_lost.md',
      ]),
    );
  });

  test('link to what exists, headings included', () => {
    const broken = documents.flatMap((file) =>
      [...withoutFences(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
        if (/^https?:/.test(link)) return [];
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? file : relative(ROOT, resolve(ROOT, dirname(file), path));
        if (!existsSync(join(ROOT, target))) return [`${file}: ${link}`];
        return anchor === undefined || slugsOf(target).includes(anchor) ? [] : [`${file}: ${link}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  test('name files and folders that exist', () => {
    const isThere = (path: string): boolean => existsSync(join(ROOT, path));
    expect(unknown(/^(?:node )?((?:processors|topics|schemas|deploy|test)\/[\w./-]*)/g, isThere, codeOf)).toEqual([]);
  });

  test('name scripts of package.json', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const isRun = (name: string): boolean => Object.hasOwn(scripts, name);
    expect(unknown(/\bnpm run (?:-s )?([\w:-]+)/g, isRun, codeOf)).toEqual([]);
    const ofNpm = ['ci', 'install', 'run'];
    const isNpm = (name: string): boolean => ofNpm.includes(name) || (/^(start|test)$/.test(name) && isRun(name));
    expect(unknown(/\bnpm ([a-z]+)/g, isNpm, codeOf)).toEqual([]);
  });

  test('name topics, groups and stores of the catalogs', async () => {
    const processors = createProcessors(await loadDefinitions(shippedDefinitions));
    const known = new Set<string>([
      ...TOPICS.flatMap(({ name }) => [name, `${name}.ndjson`, `${name}-value`]),
      ...processors.flatMap((each) => [groupName(each), storeName(each)]),
      ...processors.flatMap((each) => [`${storeName(each)}.state`, `${storeName(each)}.journal`]),
      ...processors.map((each) => `${storeName(each)}.inputs`),
      RECEIPTS_COLLECTION,
      ERASURES_COLLECTION,
      MARKS_COLLECTION,
      GENERATIONS_COLLECTION,
    ]);
    const name = /(?<![\w.-])(?:[a-z][a-z0-9-]*\.)+v\d+(?:(?:\.[a-z0-9]+)+|-value)?/g;
    expect(unknown(name, (each) => known.has(each))).toEqual([]);
  });

  test('name metrics that are declared', () => {
    const isMetric = (name: string): boolean =>
      METRIC_NAMES.some((metric) => metric === name.replace(/_(bucket|sum|count)$/, ''));
    expect(unknown(/(?<![\w:])kizuna_\w*[a-z]/g, isMetric)).toEqual([]);
  });

  test('name settings that are read', () => {
    const secrets = SETTING_NAMES.filter((name) => (SETTINGS[name] as Setting<unknown>).secret);
    const read = textOf('test/harness/services.ts') + textOf('test/harness/test-settings.ts');
    const ofTests = read.match(/KIZUNA_TEST_\w+/g) ?? [];
    const known = new Set<string>([...SETTING_NAMES, ...secrets.map((name) => `${name}_FILE`), ...ofTests]);
    expect(unknown(/\bKIZUNA_[A-Z_]*[A-Z]\b/g, (name) => known.has(name))).toEqual([]);
  });

  test('hold no plans', () => {
    const marks = new RegExp(['TO', 'DO|T', 'BD|coming so', 'on'].join(''));
    expect(documents.filter((file) => marks.test(textOf(file)))).toEqual([]);
  });
});

describe('the command line', () => {
  /** The help of each command by its words; '' is the program. */
  const helps = new Map<string, string>();
  const below = (help: string): string[] => {
    const [, list = ''] = help.split(/^Commands:$/m);
    return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  };
  const subcommands = (words: string): string[] => below(helps.get(words) ?? '');

  beforeAll(async () => {
    const learn = async (words: string): Promise<void> => {
      const { stdout } = await kizuna(`${words} --help`.trim(), {});
      helps.set(words, stdout);
      for (const name of below(stdout)) await learn(`${words} ${name}`.trim());
    };
    await learn('');
  });

  const leaves = (): string[] => [...helps.keys()].filter((words) => words !== '' && subcommands(words).length === 0);

  test('is listed whole in the README', () => {
    expect(leaves().length).toBeGreaterThan(8);
    const listed = rowsOf('README.md', 'commands').flatMap(([cell]) => ticked(cell));
    expect(listed.toSorted()).toEqual(
      leaves()
        .map((words) => `kizuna ${words}`)
        .toSorted(),
    );
  });

  test('has every command and option that a document shows', () => {
    const faults = (line: string): string[] =>
      [...line.matchAll(/\bkizuna ([a-z][a-z-]*)((?: [^\s&|#`]+)*)/g)].flatMap(([shown, first = '', rest = '']) => {
        const [second = ''] = rest.trim().split(' ');
        const words = subcommands(first).length > 0 && !second.startsWith('-') ? `${first} ${second}`.trim() : first;
        const help = helps.get(words);
        if (help === undefined) return [shown];
        return (rest.match(/--[a-z-]+/g) ?? [])
          .filter((option) => !help.includes(`${option} `))
          .map((option) => `${shown}: ${option}`);
      });
    const shown = documents.flatMap((file) =>
      codeOf(textOf(file)).map((line) => line.replace(/\bnpm start --/, 'kizuna simulate')),
    );
    expect(shown.filter((line) => /\bkizuna [a-z]/.test(line)).length).toBeGreaterThan(20);
    expect(shown.flatMap(faults)).toEqual([]);
  });
});

describe('the tables', () => {
  test('of processors have the catalog, with what each reads and writes', async () => {
    const processors = createProcessors(await loadDefinitions(shippedDefinitions));
    const rows = rowsOf('README.md', 'processors').map(([name, reads, writes]) => [
      ticked(name),
      ticked(reads),
      ticked(writes),
    ]);
    expect(rows).toEqual(processors.map(({ name, inputs, outputs }) => [[name], [...inputs], [...outputs]]));
    expect(processors.map(({ name }) => name)).toEqual([...PROCESSOR_NAMES]);
  });

  test('of error codes have every code, and say whether it usually waits or stops', () => {
    const rows = rowsOf('README.md', 'codes');
    expect(rows.flatMap(([code]) => ticked(code))).toEqual([...ERROR_CODES]);
    expect(rows.filter(([, usually]) => usually !== 'waits' && usually !== 'stops')).toEqual([]);
  });

  test('of the layout have every folder of processors/ and of the top', () => {
    const paths = rowsOf('ARCHITECTURE.md', 'layout').flatMap(([path]) => ticked(path));
    const folders = (parent: string): string[] =>
      readdirSync(join(ROOT, parent), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !/^(\.|node_modules$|coverage$)/.test(entry.name))
        .map(({ name }) => `${parent}${name}/`)
        .filter((path) => path !== 'processors/');
    expect(paths).toEqual(
      expect.arrayContaining([...folders(''), ...folders('processors/'), ...folders('processors/runtime/')]),
    );
  });

  test('of rights list what processes need today', async () => {
    const readme = textOf('README.md');
    expect(sectionOf(readme, 'rights')).toBe(sectionOf(await renderReadme(readme), 'rights'));
  });

  test('of tests have every folder of test/', () => {
    const folders = readdirSync(join(ROOT, 'test'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders) expect(textOf('ARCHITECTURE.md')).toContain(`| \`test/${name}/\``);
  });
});

describe('the runbooks', () => {
  const runbooks = documents.filter((file) => file.startsWith('deploy/runbooks/'));
  const sources = all.filter((file) => /^processors\/.*\.ts$/.test(file)).map(textOf);

  test('speak of error codes that exist, one named after a code of that very one', () => {
    const codes: readonly string[] = ERROR_CODES;
    const isCode = (code: string): boolean => codes.includes(code);
    for (const file of runbooks) {
      const [, line] = /^Error codes?: (.+)\.$/m.exec(textOf(file)) ?? [];
      const name = file.replace(/^.*\/|\.md$/g, '');
      expect(
        ticked(line).filter((code) => !isCode(code)),
        file,
      ).toEqual([]);
      // An alert may share its name with a code without being about it.
      if (line !== undefined && isCode(name)) expect(ticked(line), file).toEqual([name]);
    }
  });

  test('quote log lines that are written', () => {
    const quoted = runbooks.flatMap((file) =>
      [...textOf(file).matchAll(/log line `([^`]+)`/g)].map(([, line = '']) => line),
    );
    expect(quoted.length).toBeGreaterThan(2);
    expect(quoted.filter((line) => !sources.some((source) => source.includes(`'${line}'`)))).toEqual([]);
  });
});
