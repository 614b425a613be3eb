import { describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { CommandFailed, HINTS, reportOf } from '../../processors/cli/failure.ts';
import { ConfigurationError, ERROR_CODES, PipelineError } from '../../processors/core/errors.ts';
import { kizuna } from '../harness/recording-terminal.ts';

const COMMANDS = [
  'run',
  'simulate',
  'replay',
  'sweep',
  'topics plan',
  'topics apply',
  'topics drift',
  'schemas check',
  'schemas register',
  'definitions check',
  'config check',
  'config print',
  'config docs',
];

describe('the command line', () => {
  test.each(COMMANDS)('%s explains itself, with an example, and has --json', async (command) => {
    const { code, stdout, stderr } = await kizuna(`${command} --help`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: kizuna ${command} `);
    expect(stdout).toContain('--json');
    expect(stdout).toContain(`$ kizuna ${command}`);
  });

  test('as a whole names every command and the exit codes', async () => {
    const { code, stdout } = await kizuna('--help');
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command.split(' ')[0]} `, 'm'));
    expect(stdout).toContain('0 done, 1 failed, 2 bad usage or configuration');
  });

  test('tells its version', async () => {
    expect(await kizuna('--version')).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  test.each([
    ['', 'Usage: kizuna'],
    ['topics', 'Usage: kizuna topics'],
    ['topic', 'Did you mean topics?'],
    ['run nobody', 'Allowed choices are intake, customer'],
    ['run --no-such-flag', "unknown option '--no-such-flag'"],
    ['topics plan --replication none', 'whole number from 1 to 100'],
    ['topics plan --partitions 0', 'whole number from 1 to 10000'],
    ['topics plan --retention 5y', 'neither a time like 7d'],
    ['sweep', "required option '--until <time>'"],
    ['sweep --until yesterday', 'not a time like'],
    ['config check too-much', 'too many arguments'],
  ])('ends "%s" with 2 and says what is wrong', async (line, message) => {
    const { code, stdout, stderr } = await kizuna(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('answers a program with JSON even when the arguments are wrong', async () => {
    const { code, stdout, stderr } = await kizuna('sweep --json');
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'usage', message: "required option '--until <time>' not specified" },
    });
  });

  test.each(['run', 'sweep --until 1998-01-01', 'topics plan', 'topics apply', 'topics drift', 'schemas register'])(
    '%s needs addresses, and names all three',
    async (line) => {
      const { code, stderr } = await kizuna(line);
      expect(code).toBe(2);
      expect(stderr.match(/^KIZUNA_\w+: is missing/gm)).toEqual([
        'KIZUNA_KAFKA_BROKERS: is missing',
        'KIZUNA_MONGODB_URI: is missing',
        'KIZUNA_SCHEMA_REGISTRY_URL: is missing',
      ]);
    },
  );
});

describe('a failure', () => {
  test('of the configuration is every fault, one a line, and ends with 2', () => {
    const faults = [
      { where: 'KIZUNA_A', message: 'is wrong\n in two lines' },
      { where: 'KIZUNA_B', message: 'too' },
    ];
    expect(reportOf(new ConfigurationError(faults))).toEqual({
      exitCode: 2,
      lines: ['KIZUNA_A: is wrong in two lines', 'KIZUNA_B: too'],
      document: { code: 'configuration', message: 'bad configuration', faults },
    });
  });

  test.each(ERROR_CODES)('of the world with code %s is told with what to do, and ends with 1', (code) => {
    const { exitCode, lines, document, hint } = reportOf(new PipelineError(code, 'it broke', { retriable: false }));
    expect(exitCode).toBe(1);
    expect(lines[0]).toBe(`${code}: it broke. ${HINTS[code]}`);
    expect(document).toEqual({ code, message: 'it broke', retriable: false, hint });
    expect(hint).toMatch(/^[A-Z].*\.$/);
  });

  test('to reach a service tells the innermost reason, unless a server might quote data with it', () => {
    const refused = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') });
    const options = { retriable: true, cause: refused };
    expect(reportOf(new PipelineError('registry_unavailable', 'no answer', options)).lines[0]).toMatch(
      /^registry_unavailable: no answer: connect ECONNREFUSED 127\.0\.0\.1:1\. Check/,
    );
    const answered = Object.assign(new Error('duplicate key { _id: "demo|u:somebody" }'), { code: 11_000 });
    const told = reportOf(new PipelineError('store_unavailable', 'no answer', { retriable: true, cause: answered }));
    expect(JSON.stringify(told)).not.toContain('somebody');
  });

  test('that is a bug brings its stack, and what a command says itself brings none', () => {
    const bug = new TypeError('undefined is not a function');
    expect(reportOf(bug)).toMatchObject({ exitCode: 1, lines: [bug.stack], document: { code: 'unexpected' } });
    expect(reportOf(new CommandFailed('the group has others')).lines).toEqual(['the group has others']);
  });

  test('counts, not the failure to close after it', () => {
    const first = new CommandFailed('first');
    expect(reportOf(new SuppressedError(new Error('closing'), first)).lines).toEqual(['first']);
  });

  test('to find a file is no bug', async () => {
    const { code, stderr } = await kizuna('replay /no/such/file --to /no/such/folder');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ENOENT: .*\/no\/such\/\w+'\n$/);
  });
});
