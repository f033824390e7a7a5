// Mutation testing of lib/: each change that Stryker makes to it must break a test.

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['lib/**/*.ts'],
  tsconfigFile: 'none', // Stryker would rewrite it with an interface that TypeScript 7 no longer has.
  testRunner: 'mocha',
  testRunnerNodeArgs: ['--import', 'tsx'],
  // Without the tests that take seconds, and the faults of a refresh, which runs through the same lines as the exchange
  // of a code.
  mochaOptions: {
    spec: ['test/{strategy,stores,extensions}/*.test.ts'],
    grep: '/^(?!.* (after (1000 flows|1,000 sign-ins)|at the refresh request|is a 504 when the server) )/',
  },
  coverageAnalysis: 'perTest',
  reporters: ['progress', 'clear-text', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  thresholds: { high: 100, low: 95, break: 95 },
};
