import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { filesBelow, ROOT } from './repository.ts';

const TOP_LEVEL = new Set(
  [
    'processors topics schemas deploy test .ci',
    'package.json package-lock.json tsconfig.json docker-compose.yml eslint.config.js vitest.config.ts',
    'README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md LICENSE',
    '.dockerignore .env.example .gitignore .npmrc .prettierignore .prettierrc.json',
  ].flatMap((line) => line.split(' ')),
);
const UNTRACKED = /^(node_modules|coverage|\.git|\.kizuna|\.env|.*\.log)$/;
const FORBIDDEN_FOLDERS = new Set([
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'shared',
  'lib',
  'services',
  'managers',
]);
const NOT_A_PROCESSOR = new Set(['core', 'runtime', 'cli', 'api', 'simulation', 'definitions', 'churn', 'sentiment']);
const TEST_PROJECTS = ['unit', 'processors', 'guard', 'contract', 'integration', 'e2e'];
const GENERATED = 'schemas/types.ts';
const BEHAVIOURS_MAX = 5;

const sources = filesBelow(ROOT)
  .map((file) => relative(ROOT, file).split(sep).join('/'))
  .filter((file) => /\.(ts|js)$/.test(file) && !/^(test\/guard\/fixtures|schemas\/generated)\//.test(file));
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** How many functions and classes a file exports; types, units and bounds cost a reader nothing. */
function exportedBehaviours(file: string): number {
  const { statements } = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest);
  const isExported = (node: ts.Statement): boolean =>
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  const isFunction = ({ initializer }: ts.VariableDeclaration): boolean =>
    initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer));
  return statements.filter(isExported).reduce((count, node) => {
    if (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) return count + 1;
    return ts.isVariableStatement(node) ? count + node.declarationList.declarations.filter(isFunction).length : count;
  }, 0);
}

describe('files', () => {
  test('are short: 300 lines, tests 400, the composition root 80', () => {
    const tooLong = sources
      .filter((file) => file !== GENERATED)
      .map((file) => ({ file, lines: textOf(file).trimEnd().split('\n').length }))
      .filter(({ file, lines }) => lines > (file === 'processors/main.ts' ? 80 : file.startsWith('test/') ? 400 : 300));
    expect(tooLong).toEqual([]);
  });

  test('of the product export at most five functions and classes', () => {
    const tooMany = sources
      .filter((file) => !file.startsWith('test/'))
      .map((file) => ({ file, behaviours: exportedBehaviours(file) }))
      .filter(({ behaviours }) => behaviours > BEHAVIOURS_MAX);
    expect(tooMany).toEqual([]);
  });

  test('are named in kebab-case, and none is a barrel', () => {
    expect(
      sources.filter((file) => !/^[a-z0-9]+([.-][a-z0-9]+)*\.(ts|js)$/.test(file.split('/').at(-1) ?? '')),
    ).toEqual([]);
    expect(sources.filter((file) => /(^|\/)(index|mod)\.(ts|js)$/.test(file))).toEqual([]);
  });

  test('leave nothing to do, and give a reason for each rule that they switch off', () => {
    const marks = new RegExp(['TO', 'DO|FIX', 'ME|XX', 'X'].join(''));
    const disabled = /(?:eslint-disable|@ts-expect-error|@ts-ignore|@ts-nocheck|prettier-ignore)(?![^\n]* -- \S)/;
    const mine = 'test/guard/structure.test.ts';
    expect(sources.filter((file) => file !== mine && marks.test(textOf(file)))).toEqual([]);
    expect(sources.filter((file) => file !== mine && disabled.test(textOf(file)))).toEqual([]);
  });

  test('ending in .test.ts belong to a project of vitest.config.ts', () => {
    const tests = sources.filter((file) => file.endsWith('.test.ts'));
    expect(tests.filter((file) => !TEST_PROJECTS.includes(file.split('/')[1] ?? ''))).toEqual([]);
  });
});

describe('folders', () => {
  test('have names that say what is in them', () => {
    const names = sources.flatMap((file) => file.split('/').slice(0, -1));
    expect(names.filter((name) => FORBIDDEN_FOLDERS.has(name))).toEqual([]);
  });

  test('at the top are the product, its documents and its tools', () => {
    const entries = readdirSync(ROOT).filter((name) => !UNTRACKED.test(name));
    expect(entries.filter((name) => !TOP_LEVEL.has(name))).toEqual([]);
  });

  test('of a processor hold its README.md and processor.ts', () => {
    const folders = readdirSync(resolve(ROOT, 'processors'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !NOT_A_PROCESSOR.has(entry.name))
      .map((entry) => `processors/${entry.name}`);
    expect(folders).not.toEqual([]);
    const missing = folders.flatMap((folder) => ['README.md', 'processor.ts'].map((name) => `${folder}/${name}`));
    expect(missing.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

describe('the project', () => {
  test('locks packages by content, without the address they came from', () => {
    const lock = JSON.parse(textOf('package-lock.json')) as {
      packages: Record<string, { resolved?: string; integrity?: string }>;
    };
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(packages.length).toBeGreaterThan(10);
    expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(packages.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
  });

  test('has scripts whose files exist', () => {
    const { scripts, bin } = JSON.parse(textOf('package.json')) as Record<'scripts' | 'bin', Record<string, string>>;
    const files = [...Object.values(scripts), ...Object.values(bin)].flatMap(
      (command) => command.match(/\S+\.(ts|js)\b/g) ?? [],
    );
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test('has a gate for machines that is npm test and can be executed', () => {
    expect(textOf('.ci/run').trimEnd().split('\n').at(-1)).toBe('exec npm test');
    expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).toBe(0o111);
  });
});
