// Registers tsx in a way that the package's name leads to the build in dist/, as it does for users, and not to lib/.
process.env.TSX_TSCONFIG_PATH = new URL('../../tsconfig.built.json', import.meta.url).pathname;
process.env.TEST_BUILT_PACKAGE = '1';
await import('tsx');
