import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, test } from 'vitest';
import { filesBelow, ROOT } from './repository.ts';

// Each fixture stands where it would stand in the repository and says in its first line what must become of it:
// `// refused: <rule>: <part of the message>` or `// allowed`.
const FIXTURES = resolve(ROOT, 'test/guard/fixtures');
const files = filesBelow(FIXTURES).filter((file) => file.endsWith('.ts'));
const reports = new Map<string, readonly { readonly ruleId: string | null; readonly message: string }[]>();

// A file that could not be parsed has a report without a rule.
const isRefusal = (ruleId: string | null): boolean => ruleId === null || ruleId.includes('restricted');

beforeAll(async () => {
  // With a configuration file named, patterns count from `cwd`: the fixtures are linted as if they were the repository.
  const eslint = new ESLint({ cwd: FIXTURES, overrideConfigFile: resolve(ROOT, 'eslint.config.js') });
  for (const { filePath, messages } of await eslint.lintFiles(['.'])) reports.set(filePath, messages);
}, 60_000);

describe('the lint refuses', () => {
  test.each(files.map((file) => [relative(FIXTURES, file), file]))('%s as its first line says', (_name, file) => {
    const [heading = ''] = readFileSync(file, 'utf8').split('\n');
    const messages = reports.get(file) ?? [];
    if (heading === '// allowed') {
      expect(messages.filter(({ ruleId }) => isRefusal(ruleId))).toEqual([]);
      return;
    }
    const [, rule, part] = /^\/\/ refused: (\S+): (.+)$/.exec(heading) ?? [];
    expect(rule, `the first line of ${file}`).toBeDefined();
    expect(messages).toContainEqual(
      expect.objectContaining({ ruleId: rule, message: expect.stringContaining(part ?? '') as string }),
    );
  });

  test('a sibling processor, the test harness and a foreign client, or the fixtures prove nothing', () => {
    expect(files.length).toBeGreaterThan(30);
    expect([...reports.keys()].sort()).toEqual(files.toSorted());
  });
});
