// Mutation testing of lib/: each change that Stryker makes to it must break a test.

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['lib/**/*.ts'],
  tsconfigFile: 'none', // Stryker would rewrite it with an interface that TypeScript 7 no longer has.
  testRunner: 'mocha',
  // Without the tests that take seconds, and the faults of a refresh, which runs through the same lines as the exchange
  // of a code.
  mochaOptions: {
    require: ['tsx'], // Here, where the working directory is Stryker's copy: before, tsx would lead to lib/ itself.
    spec: ['test/{strategy,stores,installations,extensions}/*.test.ts'],
    ignore: ['test/installations/{bulk,engines,processes}.test.ts'],
    grep: '/^(?!.* (after (1000 flows|1,000 sign-ins)|at the refresh request|is a 504 when the server) )/',
  },
  coverageAnalysis: 'perTest',
  reporters: ['progress', 'clear-text', 'html'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: 'coverage/mutation.html' },
  thresholds: { high: 100, low: 95, break: 95 },
};
