// Mutation testing of lib/: each change that Stryker makes to it must break a test.

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['lib/**/*.ts'],
  // The tests load the package as it is built. TypeScript checks none of Stryker's changes: it would refuse most.
  buildCommand: 'npm run build -- --noCheck',
  tsconfigFile: 'none', // Stryker would rewrite it with an interface that TypeScript 7 no longer has.
  testRunner: 'mocha',
  testRunnerNodeArgs: ['--import', 'tsx'],
  // Without the suites that do without lib/ or start processes of their own, and the tests that take seconds.
  mochaOptions: { ignore: ['test/{demo,package,sandbox}.test.ts'], grep: '/^(?!.* after 1000 flows )/' },
  coverageAnalysis: 'perTest',
  reporters: ['progress', 'clear-text', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  thresholds: { high: 100, low: 95, break: 95 },
};
