// What TypeScript knows of the package's entries, asked of the compiler.
import { join } from 'node:path';
import type { Type } from 'typescript/unstable/sync';
import { repository } from './project';

export interface Declarations {
  /** Names of what is exported, types included. */
  exports: string[];
  /** Names of the members of an exported class, or of the properties of an exported type. */
  propertiesOf(name: string): string[];
  /** The texts that a property of an exported type can be, as far as the type names them. */
  textsOf(name: string, property: string): string[];
}

/** Reads the declarations that a file in `lib/` exports. */
export async function readDeclarations(entryFile = 'index.ts'): Promise<Declarations> {
  const { API, SymbolFlags } = await import('typescript/unstable/sync');
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
        const isAlias = Boolean(symbol.flags & SymbolFlags.Alias);
        const type = checker.getDeclaredTypeOfSymbol(isAlias ? checker.getAliasedSymbol(symbol) : symbol);
        const types = checker
          .getPropertiesOfType(type)
          .map((property): [string, string[]] => [property.name, textsIn(checker.getTypeOfSymbol(property))]);
        return [symbol.name, new Map(types)];
      }),
    );
    return {
      exports: symbols.map(({ name }) => name),
      propertiesOf: (name) => [...(properties.get(name)?.keys() ?? [])],
      textsOf: (name, property) => properties.get(name)?.get(property) ?? [],
    };
  } finally {
    api.close();
  }
}

/** The texts among the members of a union, or the one of a literal type. */
function textsIn(type: Type | undefined): string[] {
  if (type?.isUnionType()) return type.getTypes().flatMap(textsIn);
  return type?.isStringLiteralType() ? [type.value] : [];
}
