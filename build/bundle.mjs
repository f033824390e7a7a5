// Makes the files that are published from lib/: a bundle for each entry of the package, and a small file in front of it.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const pathOf = (path) => fileURLToPath(new URL(path, new URL('..', import.meta.url)));

const { dependencies } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8'));
const isDependency = (path) => Object.keys(dependencies).some((name) => `${path}/`.startsWith(`${name}/`));

/** Leaves the dependencies outside, for their fixes to arrive; one of which nothing is used is not even loaded. */
const dependenciesOutside = {
  name: 'dependencies-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      isDependency(path) ? { path, external: true, sideEffects: false } : undefined,
    );
  },
};

const sourcemap = process.argv.includes('--sourcemap');

/** Keeps jose's own lines out of the coverage, which is what a source map is for. */
const joseUncovered = {
  name: 'jose-uncovered',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]jose[\\/]/ }, ({ path }) => ({
      contents: `/* c8 ignore start */ ${readFileSync(path, 'utf8')}`,
    }));
  },
};

async function bundle(folder, settings) {
  await build({
    bundle: true,
    platform: 'node',
    target: 'node20',
    sourcemap,
    absWorkingDir: pathOf('.'),
    entryPoints: [`lib/${folder}index.ts`],
    outfile: `dist/${folder}bundle.js`,
    plugins: sourcemap ? [dependenciesOutside, joseUncovered] : [dependenciesOutside],
    logLevel: 'warning',
    ...settings,
  });
  const names = Object.keys(require(pathOf(`dist/${folder}bundle.js`)));
  // An `import` looks for the names in the text of the file that it names: in a small one it finds them sooner.
  writeFileSync(
    pathOf(`dist/${folder}index.js`),
    [
      '"use strict";',
      'const bundle = require("./bundle.js");',
      'module.exports = bundle;',
      '// The names of the exports, for an import in Node.js:',
      `0 && (module.exports = { ${names.join(', ')} });`,
      '',
    ].join('\n'),
  );
}

await bundle('');
for (const folder of ['installations/', 'extensions/']) {
  if (!existsSync(pathOf(`lib/${folder}index.ts`))) continue;
  // jose is an ES module, which Jest cannot require: so it comes along, with its licence.
  await bundle(folder, {
    inject: ['build/node-globals.mjs'],
    banner: { js: '// Contains jose: see ../LICENSE-jose.md' },
  });
  copyFileSync(pathOf('node_modules/jose/LICENSE.md'), pathOf('dist/LICENSE-jose.md'));
}
