/** The programs and scripts of this repository run on Windows too. There is none here, so this finds what would not. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Programs that run as they are on every system. `npm` and `vite` are scripts of a shell on Windows. */
const PROGRAMS: ReadonlySet<string> = new Set(["process.execPath", "pinned", "HOST"]);

const CHILD = /from "node:child_process"/;
const STARTED = /\b(?:spawn|spawnSync|execFile|execFileSync|fork)\(\s*([^,)]+?)\s*[,)]/g;

/** Each has a message and finds what does not work on Windows. */
const CODE: readonly (readonly [message: string, fault: RegExp])[] = [
  ["starts a shell", /\bshell: (?!false)|["'](?:\/bin\/)?(?:ba)?sh["']|["'](?:cmd|powershell)\b/],
  [
    "takes the path of an address, which begins with a slash there",
    /import\.meta\.url\)\.pathname/,
  ],
  [
    "imports a path, and not its address",
    /\bimport\(\s*(?!["'`])(?![^;]*?(?:pathToFileURL\(|\.href\b))/,
  ],
  ["takes a path for an address", /`file:\/\/\$|["']file:\/\/["'] \+/],
  ["has a folder that only some systems have", /["'`]\/(?:tmp|dev|etc|usr|bin|proc)\//],
];

/** Of an npm script. */
const SCRIPT: readonly (readonly [message: string, fault: RegExp])[] = [
  ["sets a variable", /(?:^|&& |\|\| )\s*\w+=/],
  ["reads a variable", /\$/],
  ["has quotes that cmd.exe keeps", /'/],
  ["runs in the background, or one after the other whatever comes of it", /;|(?<!&)&(?!&)/],
  [
    "runs a program of other systems",
    /(?:^|&& |\|\| )\s*(?:rm|cp|mv|mkdir|cat|touch|export|test|sh|bash|env|chmod|ln|\.\/\S+)(?: |$)/,
  ],
];

function faultsOfCode(source: string): string[] {
  // Comments may name what is avoided.
  const code = source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  const found = CODE.filter(([, fault]) => fault.test(code)).map(([message]) => message);
  if (!CHILD.test(code)) return found;
  if (/import \{[^}]*\bexec(?:Sync)?\b[^}]*\} from "node:child_process"/.test(code)) {
    found.push("starts a shell");
  }
  for (const [, program = ""] of code.matchAll(STARTED)) {
    if (!PROGRAMS.has(program)) found.push(`starts ${program}`);
  }
  return found;
}

const faultsOfScript = (script: string) =>
  SCRIPT.filter(([, fault]) => fault.test(script)).map(([message]) => message);

/** Code that people run, and that servers run. */
const FILES = globSync("{bin,scripts,server,shared,examples}/**/*.{js,ts}").filter(
  (file) => !/node_modules|\.test(?:-d)?\.ts$/.test(file),
);

test("no program needs a shell, a program of one system, or a path of one", () => {
  expect(FILES.length).toBeGreaterThan(300);
  const faults = FILES.flatMap((file) =>
    faultsOfCode(readFileSync(file, "utf8")).map((fault) => `${file} ${fault}`),
  );
  expect(faults).toEqual([]);
});

test("no npm script needs a shell of one system", () => {
  const files = ["package.json", ...globSync("examples/*/package.json")];
  const faults = files.flatMap((file) => {
    const { scripts } = JSON.parse(readFileSync(file, "utf8")) as {
      scripts: Record<string, string>;
    };
    return Object.entries(scripts).flatMap(([name, script]) =>
      faultsOfScript(script).map((fault) => `${file}: "${name}" ${fault}`),
    );
  });
  expect(faults).toEqual([]);
});

const FROM = 'import { spawn, execFileSync } from "node:child_process";\n';

test.each([
  [`${FROM}spawn("npm", ["run", "x"]);`, 'starts "npm"'],
  [`${FROM}execFileSync(\n  "npx",\n  ["vite"],\n);`, 'starts "npx"'],
  [`${FROM}spawn("sh", ["-c", "x"]);`, "starts a shell"],
  [`${FROM}spawn(process.execPath, [], { shell: true });`, "starts a shell"],
  ['import { exec } from "node:child_process";\nexec("x");', "starts a shell"],
  [
    'const dir = new URL("x", import.meta.url).pathname;',
    "takes the path of an address, which begins with a slash there",
  ],
  ["await import(file);", "imports a path, and not its address"],
  ["await import(resolve(file));", "imports a path, and not its address"],
  ["import(`file://${path}`);", "takes a path for an address"],
  ['import("file://" + path);', "takes a path for an address"],
  ['open("/proc/x");', "has a folder that only some systems have"],
])("code that fails on Windows is found: %s", (code, fault) => {
  expect(faultsOfCode(code)).toContain(fault);
});

test.each([
  `${FROM}spawn(process.execPath, ["x.js"]);`,
  'await import("../server/command/main.ts");',
  "await import(pathToFileURL(file).href);",
  "// never `shell: true`\nspawn(process.execPath);",
])("code that works is left alone: %s", (code) => {
  expect(faultsOfCode(code)).toEqual([]);
});

test.each([
  "NODE_ENV=test node x.js",
  "tsc && CI=1 vitest",
  "node x.js $npm_package_version",
  "node -e 'x'",
  "node a.js & node b.js",
  "node a.js; node b.js",
  "rm -rf dist && vite build",
  "./bin/x.sh",
])("a script that fails on Windows is found: %s", (script) => {
  expect(faultsOfScript(script)).not.toEqual([]);
});
