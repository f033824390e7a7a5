// Mutation testing of lib/: each change that Stryker makes to it must break a test.

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['lib/**/*.ts'],
  // The tests load the package as it is built. TypeScript checks none of Stryker's changes: it would refuse most.
  buildCommand: 'npm run build -- --noCheck',
  tsconfigFile: 'none', // Stryker would rewrite it with an interface that TypeScript 7 no longer has.
  testRunner: 'mocha',
  testRunnerNodeArgs: ['--import', 'tsx'],
  // What does without lib/, or starts processes of its own.
  mochaOptions: { ignore: ['test/{demo,package,sandbox}.test.ts'] },
  coverageAnalysis: 'perTest',
  reporters: ['progress', 'clear-text', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  thresholds: { high: 100, low: 95, break: 95 },
};
