/** The commands in the documentation: their verbs and options exist, and so do the findings that it names. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { run } from "#test/command/run.ts";

/** `npx jobwire keys create --tenant acme`, up to the end of the line or of the code span. */
const COMMAND = /\bnpx jobwire ([^`\n]+)/g;

const pages = globSync("{README.md,docs/*.md}").map(
  (path) => [path, readFileSync(path, "utf8")] as const,
);

async function helpOf(verb: readonly string[]): Promise<string> {
  const { code, out } = await run([...verb, "--help"]);
  return code === 0 ? out : "";
}

/** The parts of a command that do not exist: its verb, or options. */
async function faultsOf(command: string): Promise<string[]> {
  const words = command.split(/\s+/);
  const [first = "", second = ""] = words;
  const isGroup = first === "keys" || first === "schedule";
  const hasTwo = isGroup || (first === "workers" && /^[a-z]+$/.test(second));
  const verb = hasTwo ? [first, second] : [first];
  const help = await helpOf(verb);
  if (!help.startsWith(`Usage: jobwire ${verb.join(" ")}`)) return [`no verb: ${verb.join(" ")}`];
  const options = words.filter((word) => /^--[a-z-]+$/.test(word));
  return options
    .filter((option) => !help.includes(`${option} `))
    .map((option) => `${first} has no ${option}`);
}

test("every command of `jobwire` in the documentation has a verb and options that exist", async () => {
  const commands = pages.flatMap(([path, page]) =>
    [...page.matchAll(COMMAND)].map(([, command = ""]) => ({ path, command })),
  );
  expect(commands.length).toBeGreaterThan(40);
  const faults: string[] = [];
  for (const { path, command } of commands) {
    for (const fault of await faultsOf(command)) faults.push(`${path}: ${command}: ${fault}`);
  }
  expect(faults).toEqual([]);
});

test("a verb and an option that do not exist are found", async () => {
  expect(await faultsOf("doktor https://example.com")).toEqual(["no verb: doktor"]);
  expect(await faultsOf("doctor https://example.com --idel 75")).toEqual(["doctor has no --idel"]);
  expect(await faultsOf("keys create --tenant acme --scope jobs:read")).toEqual([]);
  expect(await faultsOf("schedule pause --tenant acme")).toEqual(["schedule has no --tenant"]);
});

/** Of checks with more than one word, as the findings have them. */
const NAME = /"((?:[a-z.-]+ )+[a-z.-]+)"/g;

test("every finding of the doctor that the guide to troubleshooting names exists", () => {
  const files = globSync("server/{command/doctor,engine/{redis,sqlite}}/**/*.ts");
  const sources = files.filter((file) => !file.endsWith(".test.ts"));
  const names = new Set(
    sources.flatMap((file) =>
      [...readFileSync(file, "utf8").matchAll(NAME)].map(([, name = ""]) => name),
    ),
  );
  const page = readFileSync("docs/troubleshooting.md", "utf8");
  const told = [
    ...page.matchAll(
      /`((?:redis|websocket|event|idle|origin|disk|database|control|data|large|long|sign-in) [a-z. -]+)`/g,
    ),
  ];
  expect(told.length).toBeGreaterThan(15);
  expect(told.map(([, name = ""]) => name).filter((name) => !names.has(name))).toEqual([]);
});
