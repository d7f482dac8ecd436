/**
 * `npm run build:packages`: writes the published packages to `dist/packages/`, ready for `npm publish`, and the files that `npm pack`
 * makes of them. The page must be built. `--out`: another folder, inside the repository, without these files.
 *
 * sources that the entries reach, with relative imports ──► tsc ──► what the entries reach of its output
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type PackageDefinition, PACKAGES, RANGES } from "./packages/definitions.ts";
import { launcher } from "./packages/launcher.ts";
import { commandFile, type Needs, packageJson } from "./packages/package-json.ts";
import { compiled, declarationOf } from "./packages/paths.ts";
import { type Reach, reachOf } from "./packages/reach.ts";
import { sourcesOf } from "./packages/sources.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({ options: { out: { type: "string" } } });
const OUT = join(ROOT, values.out ?? "dist/packages");
/** Inside the repository, whose packages the compiler finds from there. */
const STAGE = `${OUT}-sources`;
const COMPILER_OPTIONS = {
  module: "NodeNext",
  lib: ["ES2025", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  jsx: "react-jsx",
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  // The packages have no TypeScript that a source map could name.
  inlineSources: true,
  sourceMap: true,
  declaration: true,
  skipLibCheck: true,
  rootDir: ".",
};

const read = (path: string) => readFileSync(path, "utf8");
const write = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const root = JSON.parse(read(join(ROOT, "package.json"))) as {
  version: string;
  license: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const versions = {
  own: root.version,
  license: root.license,
  installed: { ...root.devDependencies, ...root.dependencies },
  ranges: RANGES,
};

rmSync(OUT, { recursive: true, force: true });
for (const definition of PACKAGES) buildPackage(definition);
rmSync(STAGE, { recursive: true, force: true });
if (values.out === undefined) for (const { folder } of PACKAGES) pack(folder);

/** With the npm that runs this script: its command is no program on Windows, which could be started without a shell. */
function pack(folder: string): void {
  const { npm_execpath: npm } = process.env;
  if (npm === undefined) throw new Error("Run `npm run build:packages`, which says where npm is.");
  const args = [npm, "pack", "--silent", "--pack-destination", OUT];
  execFileSync(process.execPath, args, { cwd: join(OUT, folder), stdio: "inherit" });
}

function buildPackage(definition: PackageDefinition): void {
  const { name, folder, entries, commands = {}, onDemand = [], node } = definition;
  const out = join(OUT, folder);
  const always = entries.filter(({ optional }) => optional !== true).map(({ file }) => file);
  const optional = entries.filter((entry) => entry.optional).map(({ file }) => file);
  const programs = Object.values(commands);
  const { modules, assets } = sourcesOf([...always, ...optional, ...programs], (file) =>
    read(join(ROOT, file)),
  );
  compile(definition, modules, out);

  const reached = {
    always: mergeReach(valuesOf([...always, ...programs], out, onDemand), typesOf(always, out)),
    optional: mergeReach(valuesOf([...optional, ...onDemand], out), typesOf(optional, out)),
  };
  prune(out, reached.always.files.union(reached.optional.files));
  const needs: Needs = {
    always: reached.always.packages,
    optional: reached.optional.packages,
  };
  write(join(out, "package.json"), json(packageJson(definition, needs, versions)));

  for (const asset of assets) copyAsset(asset, out, name);
  for (const [command, program] of Object.entries(commands)) {
    const file = join(out, commandFile(command));
    write(file, launcher(command, program, node ?? 0));
    chmodSync(file, 0o755);
  }
  copyFileSync(join(ROOT, "scripts/packages", folder, "README.md"), join(out, "README.md"));
  copyFileSync(join(ROOT, "LICENSE"), join(out, "LICENSE"));
}

function compile(
  { name, folder, compilerOptions }: PackageDefinition,
  modules: ReadonlyMap<string, string>,
  out: string,
): void {
  const stage = join(STAGE, folder);
  rmSync(stage, { recursive: true, force: true });
  for (const [file, text] of modules) write(join(stage, file), text);
  // Some modules read the version from it.
  write(join(stage, "package.json"), json({ name, version: root.version, type: "module" }));
  const options = { ...COMPILER_OPTIONS, ...compilerOptions, outDir: out };
  write(
    join(stage, "tsconfig.json"),
    json({ compilerOptions: options, files: [...modules.keys()] }),
  );
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", stage], { stdio: "inherit" });
}

/** All that these files need when they run. `without`: what these modules need. */
function valuesOf(files: readonly string[], out: string, without: readonly string[] = []): Reach {
  const ends = new Set(without.map(compiled));
  return reachOf(files.map(compiled), (file) => (ends.has(file) ? "" : read(join(out, file))));
}

/** All that programs need for the types of these files. */
function typesOf(files: readonly string[], out: string): Reach {
  return reachOf(files, (file) => read(join(out, file)), declarationOf);
}

function mergeReach(a: Reach, b: Reach): Reach {
  return { files: a.files.union(b.files), packages: a.packages.union(b.packages) };
}

/** Removes modules that had types only, and declarations that no entry's declarations need. */
function prune(out: string, files: ReadonlySet<string>): void {
  for (const file of globSync("**/*.{js,d.ts}", { cwd: out })) {
    if (files.has(file.replaceAll(sep, "/"))) continue;
    rmSync(join(out, file));
    rmSync(join(out, `${file}.map`), { force: true });
  }
}

function copyAsset(asset: string, out: string, name: string): void {
  const from = join(ROOT, asset);
  if (!existsSync(from)) {
    throw new Error(`${name} needs ${asset}, which is missing. Run \`npm run build\` first.`);
  }
  // The page's own source maps are larger than all the rest.
  cpSync(from, join(out, asset), { recursive: true, filter: (file) => !file.endsWith(".map") });
}
