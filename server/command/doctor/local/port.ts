/** The ports: free, or in use by a Jobwire or by another program. */
import { createServer } from "node:net";
import type { Config } from "#server/config.ts";
import { fail, type Finding, ok, skip } from "#shared/finding.ts";
import { ask } from "#server/command/doctor/remote/ask.ts";
import { infoIn } from "#server/command/doctor/remote/trpc-answer.ts";

const NAME = "port";
const INSTEAD_OF_ALL: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

export async function checkPort(
  { PORT: port, HOST: host, TLS_CERT_FILE: cert, BASE_PATH: basePath }: Config,
  signal: AbortSignal,
): Promise<Finding> {
  return checkListening({ name: NAME, variable: "PORT", port, host }, async (near) => {
    const url = new URL(`${cert === undefined ? "http" : "https"}://${near}:${port}${basePath}`);
    const answer = await ask({ url, verifies: false }, "/trpc/system.info", { signal });
    const info = infoIn(answer);
    if (info === undefined) return undefined;
    return `a running Jobwire${"version" in info ? ` of version ${info.version}` : ""}`;
  });
}

/** `port`: METRICS_PORT. */
export async function checkMetricsPort(
  { PORT, HOST: host, TLS_CERT_FILE: cert }: Config,
  port: number,
  signal: AbortSignal,
): Promise<Finding> {
  const name = "metrics port";
  if (port === PORT && port !== 0) {
    return fail(name, `METRICS_PORT is ${port}, as PORT is: one of them cannot be opened`, [
      "Choose another port with METRICS_PORT.",
      "docs/operations.md#access",
    ]);
  }
  return checkListening({ name, variable: "METRICS_PORT", port, host }, async (near) => {
    const url = new URL(`${cert === undefined ? "http" : "https"}://${near}:${port}`);
    const { body } = await ask({ url, verifies: false }, "/metrics", { signal });
    return /^# TYPE jobwire_build_info /m.test(body) ? "a running Jobwire" : undefined;
  });
}

interface Listening {
  /** Of the finding. */
  name: string;
  variable: string;
  port: number;
  host: string;
}

/** `owner`: the Jobwire that has the port at this address; `undefined` for another program. */
async function checkListening(
  { name, variable, port, host }: Listening,
  owner: (address: string) => Promise<string | undefined>,
): Promise<Finding> {
  if (port === 0) return ok(name, "any that is free");
  const refusal = await listens(port, host);
  if (refusal === undefined) return ok(name, `${port} on ${host} is free`);
  const { code } = refusal;
  if (code === "EACCES") {
    return fail(name, `${port} may not be used by this user`, [
      `Choose one above 1023 with ${variable}.`,
      "docs/troubleshooting.md#the-port-is-in-use",
    ]);
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return fail(name, `HOST=${host} names no address of this machine`, [
      "Set HOST to an address of this machine, or to 0.0.0.0.",
      "docs/configuration.md#configuration",
    ]);
  }
  if (code !== "EADDRINUSE") return skip(name, `could not be tried (${refusal.message})`);
  const near = INSTEAD_OF_ALL[host] ?? host;
  const user = await owner(near.includes(":") ? `[${near}]` : near).catch(() => undefined);
  if (user !== undefined) return ok(name, `${port} on ${host} is in use by ${user}`);
  return fail(name, `${port} on ${host} is in use by another program`, [
    `Stop it, or choose another port with ${variable}.`,
    "docs/troubleshooting.md#the-port-is-in-use",
  ]);
}

/** Resolves to the reason why no server can listen there. */
function listens(port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
