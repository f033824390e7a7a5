// What TypeScript knows of the package's entries, asked of the compiler.
import { join } from 'node:path';
import { repository } from './project';

export interface Declarations {
  /** Names of what is exported, types included. */
  exports: string[];
  /** Names of the members of an exported class, or of the properties of an exported type. */
  propertiesOf(name: string): string[];
}

/** Reads the declarations of an entry in `lib/`. */
export async function readDeclarations(entryFile = 'index.ts'): Promise<Declarations> {
  const { API } = await import('typescript/unstable/sync');
  const api = new API({ cwd: repository });
  try {
    using snapshot = api.updateSnapshot({ openProjects: [join(repository, 'tsconfig.json')] });
    const [project] = snapshot.getProjects();
    const file = project?.program.getSourceFile(join(repository, 'lib', entryFile));
    const entry = file && project?.checker.getSymbolAtLocation(file);
    if (!project || !entry) throw new Error(`The compiler does not find ${entryFile}`);
    const { checker } = project;
    const symbols = checker.getExportsOfModule(entry);
    const properties = new Map(
      symbols.map((symbol) => {
        const type = checker.getDeclaredTypeOfSymbol(checker.getAliasedSymbol(symbol));
        return [symbol.name, checker.getPropertiesOfType(type).map(({ name }) => name)];
      }),
    );
    return { exports: symbols.map(({ name }) => name), propertiesOf: (name) => properties.get(name) ?? [] };
  } finally {
    api.close();
  }
}
