// Finds files, exports and dependencies that nothing uses. The programs in the documents count as users.
import type { KnipConfig } from 'knip';

const programsOf = (document: string) =>
  [...document.matchAll(/^```ts\n(.*?)^```/gms)].map(([, program]) => program).join('\n');

const config: KnipConfig = {
  workspaces: {
    '.': {
      entry: [
        'bench/*.ts',
        'build/node-globals.mjs',
        'docs/**/*.md',
        'examples/marketplace-app/public/*.mjs',
        'lib/{,installations/,extensions/}index.ts',
        'test/**/*.test.ts',
        'test/types/*.ts',
        'test/support/{*.cjs,document-prelude.ts}',
      ],
      project: ['{bench,build,demo,examples,lib,test}/**/*.{ts,mts,cjs,mjs}', 'docs/**/*.md'],
    },
    sandbox: { entry: ['test/**/*.test.ts', 'README.md'], project: ['{lib,test}/**/*.ts', '*.md'] },
  },
  compilers: { md: programsOf },
  // Files that a program's page tells the reader to write.
  ignoreUnresolved: ['./options.js', './session.js', './pipedrive.js'],
  // Older versions, which tests put in the place of the newest; Next.js, of which tests have the types they need; and a
  // package whose load time is measured.
  ignoreDependencies: [/^passport0\d$/, '@stryker-mutator/api', 'next', 'passport-google-oauth20'],
  ignoreBinaries: ['redis-server', 'nginx', 'openssl'],
};

export default config;
