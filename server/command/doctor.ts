/** `jobwire doctor`: what is wrong with the configuration, the data and the machine, or with the way to a server. */
import { readFile } from "node:fs/promises";
import type { SecureContext } from "node:tls";
import type { Command } from "commander";
import { messageOf } from "#shared/errors.ts";
import type { Finding } from "#shared/finding.ts";
import type { CommandContext } from "./context.ts";
import { Exit, FAILED } from "./exit.ts";
import { runChecks } from "./doctor/check.ts";
import { printableFinding, summaryOf, textOf } from "./doctor/report.ts";
import { addressOf } from "./server-address.ts";
import { UsageError } from "./usage-error.ts";

interface DoctorOptions {
  origin?: string;
  idle: number;
  ca?: string;
  json?: true;
}

/** An hour: beyond it an argument is a slip. */
const MAX_IDLE_S = 3600;
/** For the certificate and the first answers. A server without its data takes some seconds to say so. */
const FIRST_ANSWERS_MS = 25_000;

export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command("doctor")
    .description(
      "says what is wrong here with the configuration, the data and the machine, or with the way to a server",
    )
    .argument("[url]", "the address of a server, as its clients use it; JOBWIRE_TOKEN signs in")
    .option("--origin <origin>", "a page that is to use the server: https://app.example.com")
    .option("--idle <seconds>", "hold connections open for so long", parseIdle, 0)
    .option("--ca <file>", "trust the certificates in this file, in PEM form")
    .option("--json", "print the findings as JSON, one a line")
    .action((url: string | undefined, options: DoctorOptions) => examine(url, options, context));
}

async function examine(
  address: string | undefined,
  options: DoctorOptions,
  { env, stdout, now }: CommandContext,
): Promise<void> {
  const findings: Finding[] = [];
  const tell = (finding: Finding) => {
    findings.push(finding);
    stdout.write(options.json ? `${JSON.stringify(printableFinding(finding))}\n` : textOf(finding));
  };
  if (address === undefined) {
    const given = (["origin", "ca"] as const).find((name) => options[name] !== undefined);
    if (given !== undefined) throw new UsageError(`--${given} belongs to the address of a server.`);
    // The other commands need none of the packages of the checks.
    const { localChecks } = await import("./doctor/local-checks.ts");
    await runChecks(localChecks(env, now), tell);
  } else {
    const { remoteChecks } = await import("./doctor/remote-checks.ts");
    const { findings: first, checks } = await remoteChecks(
      {
        url: addressOf(address),
        // An empty variable counts as unset.
        token: env.JOBWIRE_TOKEN || undefined,
        origin: options.origin === undefined ? undefined : originOf(options.origin),
        idleMs: options.idle * 1000,
        trusted: options.ca === undefined ? undefined : await trustIn(options.ca),
        now,
      },
      AbortSignal.timeout(FIRST_ANSWERS_MS),
    );
    first.forEach(tell);
    await runChecks(checks, tell);
  }
  if (!options.json) stdout.write(summaryOf(findings));
  if (findings.some(({ verdict }) => verdict === "fail")) throw new Exit(FAILED);
}

/** Apps have origins of other schemes. */
const ORIGIN = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/\s?#]*|null)$/;

function originOf(text: string): string {
  if (ORIGIN.test(text)) return text;
  throw new UsageError(
    `--origin: ${JSON.stringify(text)} is no origin such as https://app.example.com.`,
  );
}

function parseIdle(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : Infinity;
  if (seconds <= MAX_IDLE_S) return seconds;
  throw new UsageError(
    `--idle: ${JSON.stringify(text)} is no number of seconds up to ${MAX_IDLE_S}.`,
  );
}

async function trustIn(file: string): Promise<SecureContext> {
  const { trusting } = await import("./doctor/remote/target.ts");
  try {
    return trusting(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(
      `--ca: ${file} has no certificate that can be read (${messageOf(error)}).`,
    );
  }
}
