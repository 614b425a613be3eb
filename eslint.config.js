import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TYPESCRIPT = ['**/*.ts'];
/** Everything below processors/ that is not one processor's own folder. */
const NOT_A_PROCESSOR = ['core', 'runtime', 'cli', 'api', 'simulation', 'definitions', 'churn', 'sentiment'].map(
  (name) => `processors/${name}/**`,
);
/** Of these, the folders that are pure as a processor is; simulation/ may touch globals. */
const PURE = /\/(core|churn|sentiment)\//;
const NO_CLOCK = /\/(core|churn|sentiment|simulation)\//;

// --- The one-way arrows between the folders ---
// Regular expressions on the import's text: glob patterns miss a sibling's relative path.

const refuse = (regex, message, extra = {}) => ({ regex, message, ...extra });

const CLIENTS = {
  kafka: refuse('^kafkajs($|/)', 'Only processors/runtime/kafka/ speaks kafkajs.'),
  mongo: refuse('^mongodb($|/)', 'Only processors/runtime/mongo/ speaks to MongoDB.'),
  registry: refuse('^@kafkajs/', 'Only processors/runtime/registry/ speaks to the schema registry.'),
};
const DETOUR = refuse('(^\\./|[^./]/)\\.\\.(/|$)', 'Write the path straight, so that the arrows can be seen.');
const TEST = refuse('^(\\.\\./)+test/', 'Nothing but test/ imports test/.');
const PROCESS = refuse('^(node:)?process$', 'Settings come from processors/runtime/config.ts.');
const NODE = refuse('^node:(?!buffer$)', 'Pure code: no I/O.');
const PACKAGE = refuse('^[^.](?!ode:)', 'core/, churn/ and sentiment/ are built from nothing but the language.');
const RUNTIME_PACKAGE = refuse(
  '^(pino|prom-client|commander|testcontainers)($|/)',
  'Authors of processors write no logs or metrics.',
);

/** Refuses what leaves a folder, but for `allowed`; `up` leads from a file's folder to the one that holds the folder. */
const stayInside = (up, allowed, message) => refuse(`^(\\.\\./){${up}}(?!${allowed.join('|')})`, message);

const arrows = (files, patterns, ignores = []) => ({
  files,
  ignores,
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [DETOUR, ...patterns] }] },
});

const others = Object.values(CLIENTS);
const FROM_PROCESSORS = ['core/', '\\.\\./topics/', '\\.\\./schemas/'];

const importArrows = [
  // The default, for main.ts, catalog.ts, cli/, simulation/ and definitions/, which see more than the rest.
  arrows(TYPESCRIPT, [TEST, PROCESS, ...others], ['test/**']),
  ...[1, 2].flatMap((up) => {
    const depth = '/*'.repeat(up);
    const inside = (folder, allowed, message, patterns, ignores) =>
      arrows([`processors/${folder}${depth}.ts`], [stayInside(up, allowed, message), ...patterns], ignores);
    const pure = [TEST, NODE];
    return [
      inside('core', ['\\.\\./schemas/'], 'core/ sees core/ and the types of schemas/.', [
        ...pure,
        PACKAGE,
        refuse('/schemas/', 'core/ sees the types of schemas/ alone.', { allowTypeImports: true }),
      ]),
      inside(
        '*',
        [...FROM_PROCESSORS, 'sentiment/sentiment'],
        'A processor sees core/, topics/, schemas/, what reads texts in sentiment/ and its own folder. Two processors share through a topic, or through core/.',
        [...pure, ...others, RUNTIME_PACKAGE],
        NOT_A_PROCESSOR,
      ),
      inside('churn', ['core/', 'customer/churn-'], 'churn/ sees core/ and the churn rules of customer/.', [
        ...pure,
        PACKAGE,
      ]),
      inside('sentiment', ['core/', '\\.\\./schemas/'], 'sentiment/ sees core/ and the types of schemas/.', [
        ...pure,
        PACKAGE,
        refuse('/schemas/', 'sentiment/ sees the types of schemas/ alone.', { allowTypeImports: true }),
      ]),
      inside('runtime', FROM_PROCESSORS, 'runtime/ sees core/, topics/ and schemas/, never a processor by name.', [
        TEST,
        PROCESS,
        ...others,
      ]),
      inside('simulation', FROM_PROCESSORS, 'simulation/ sees core/, topics/ and schemas/.', [
        TEST,
        PROCESS,
        ...others,
      ]),
    ];
  }),
  ...['kafka', 'mongo', 'registry', 'memory'].map((adapter) =>
    arrows(
      [`processors/runtime/${adapter}/*.ts`],
      [
        stayInside(2, FROM_PROCESSORS, 'runtime/ sees core/, topics/ and schemas/, never a processor by name.'),
        refuse('^\\.\\./(kafka|mongo|registry|memory)/', 'One adapter does not lean on another.'),
        TEST,
        PROCESS,
        ...Object.entries(CLIENTS).flatMap(([name, client]) => (name === adapter ? [] : [client])),
      ],
    ),
  ),
  // A lexicon is nothing to write oneself.
  arrows(
    ['processors/sentiment/sentiment-english.ts'],
    [stayInside(1, ['core/'], 'sentiment/ sees core/ and the types of schemas/.'), TEST, NODE, ...others],
  ),
  arrows(
    ['topics/**/*.ts', 'schemas/**/*.ts'],
    [
      TEST,
      PROCESS,
      ...others,
      refuse('/processors/(?!core/)', 'topics/ and schemas/ see core/, and the types of the runtime.', {
        allowTypeImports: true,
      }),
    ],
  ),
  arrows(
    ['test/**/*.ts'],
    [
      PROCESS,
      refuse('^(kafkajs|mongodb)$|^@kafkajs/', 'Tests reach the services through the adapters or test/harness/.'),
    ],
    ['test/harness/**'],
  ),
];

// --- What pure code may not touch ---

const NO_REEXPORT = [
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that owns the name.' },
  { selector: 'ExportNamedDeclaration[source]', message: 'No barrels: import from the file that owns the name.' },
];
const NO_DYNAMIC_IMPORT = { selector: 'ImportExpression', message: 'A dynamic import goes round the arrows.' };
const NO_WALL_CLOCK = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time comes from the record.' },
  { selector: "CallExpression[callee.name='Date']", message: 'Time comes from the record.' },
];
const UNSEEN_INPUTS = [
  { object: 'Date', property: 'now', message: 'Time comes from the record, or from a Clock.' },
  { object: 'Math', property: 'random', message: 'Randomness comes from a seed that the caller gives.' },
];
const NO_ENVIRONMENT = {
  object: 'process',
  property: 'env',
  message: 'Only processors/runtime/config.ts reads the environment.',
};
const IMPURE_GLOBALS = [
  'process',
  'globalThis',
  'console',
  'performance',
  'crypto',
  'fetch',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
];

const purity = [
  { files: TYPESCRIPT, rules: { 'no-restricted-syntax': ['error', ...NO_REEXPORT] } },
  {
    files: TYPESCRIPT,
    ignores: ['processors/runtime/config.ts', 'test/run.ts', 'test/harness/**'],
    rules: { 'no-restricted-properties': ['error', NO_ENVIRONMENT] },
  },
  {
    files: ['processors/runtime/**/*.ts', 'topics/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...NO_REEXPORT, NO_DYNAMIC_IMPORT] },
  },
  {
    files: ['processors/*/**/*.ts'],
    ignores: NOT_A_PROCESSOR.filter((folder) => !NO_CLOCK.test(folder)),
    rules: {
      'no-restricted-syntax': ['error', ...NO_REEXPORT, NO_DYNAMIC_IMPORT, ...NO_WALL_CLOCK],
      'no-restricted-properties': ['error', NO_ENVIRONMENT, ...UNSEEN_INPUTS],
    },
  },
  {
    files: ['processors/*/**/*.ts'],
    ignores: NOT_A_PROCESSOR.filter((folder) => !PURE.test(folder)),
    rules: {
      'no-restricted-globals': [
        'error',
        ...IMPURE_GLOBALS.map((name) => ({ name, message: 'Pure code: no I/O, clock, randomness or environment.' })),
      ],
    },
  },
];

export default defineConfig(
  globalIgnores(['node_modules/', 'coverage/', '.kizuna/', 'schemas/generated/', 'test/guard/fixtures/']),
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-constructor-return': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-useless-rename': 'error',
      'object-shorthand': 'error',
      'max-lines': ['error', 300],
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'all' }],
      // An async method that only throws or answers from memory still rejects instead of throwing: that is its worth.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
    },
  },
  { files: ['test/**/*.ts'], rules: { 'max-lines': ['error', 400], '@typescript-eslint/unbound-method': 'off' } },
  // Written by schemas/generate.ts: as long as there are records.
  { files: ['schemas/types.ts'], rules: { 'max-lines': 'off' } },
  // The tools that read these files ask for a default export.
  { files: ['*.config.ts', 'test/harness/vitest-services.ts'], rules: { 'no-restricted-exports': 'off' } },
  ...importArrows,
  ...purity,
);
