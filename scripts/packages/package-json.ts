/** The `package.json` of a published package. */
import type { PackageDefinition } from "./definitions.ts";
import { compiled, declarationOf } from "./paths.ts";

export interface Versions {
  /** Of the published packages. */
  own: string;
  license: string;
  /** Of each package that the repository installs. */
  installed: Readonly<Record<string, string>>;
  /** Exceptions from `^` and the installed version; `=` is the installed version alone. */
  ranges: Readonly<Record<string, string>>;
}

/** Packages, by how programs get them. */
export interface Needs {
  always: ReadonlySet<string>;
  /** Only by optional entries. */
  optional: ReadonlySet<string>;
}

/** Throws for a package without a version. */
export function packageJson(
  definition: PackageDefinition,
  { always, optional }: Needs,
  versions: Versions,
): Record<string, unknown> {
  const { name, description, entries, commands = {}, peers = [], keywords } = definition;
  const { node, sideEffects } = definition;
  const dependencies = [...always].filter((each) => !peers.includes(each)).toSorted();
  const optionalPeers = [...optional].filter((each) => !always.has(each)).toSorted();
  const ranges = (names: readonly string[]) =>
    Object.fromEntries(names.map((each) => [each, rangeOf(each, name, versions)]));
  return {
    name,
    version: versions.own,
    description,
    keywords,
    license: versions.license,
    type: "module",
    ...(sideEffects !== undefined && { sideEffects }),
    exports: {
      ...Object.fromEntries(
        entries.map(({ subpath, file }) => [
          subpath,
          { types: `./${declarationOf(file)}`, default: `./${compiled(file)}` },
        ]),
      ),
      "./package.json": "./package.json",
    },
    ...(Object.keys(commands).length > 0 && {
      bin: Object.fromEntries(
        Object.keys(commands).map((command) => [command, commandFile(command)]),
      ),
    }),
    dependencies: ranges(dependencies),
    peerDependencies: ranges([...peers, ...optionalPeers].toSorted()),
    peerDependenciesMeta: Object.fromEntries(
      optionalPeers.map((each) => [each, { optional: true }]),
    ),
    ...(node !== undefined && { engines: { node: `>=${node}` } }),
    publishConfig: { access: "public" },
  };
}

export const commandFile = (command: string): string => `bin/${command}.js`;

function rangeOf(name: string, wantedBy: string, { installed, ranges }: Versions): string {
  const version = installed[name];
  if (version === undefined) {
    throw new Error(`${wantedBy} imports ${name}, which the package.json of the repository lacks.`);
  }
  const range = ranges[name] ?? `^${version}`;
  return range === "=" ? version : range;
}
