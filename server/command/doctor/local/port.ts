/** The port: free, or in use by a Jobwire or by another program. */
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
  if (port === 0) return ok(NAME, "any that is free");
  const refusal = await listens(port, host);
  if (refusal === undefined) return ok(NAME, `${port} on ${host} is free`);
  const { code } = refusal;
  if (code === "EACCES") {
    return fail(NAME, `${port} may not be used by this user`, [
      "Choose one above 1023 with PORT.",
      "docs/troubleshooting.md#the-port-is-in-use",
    ]);
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return fail(NAME, `HOST=${host} names no address of this machine`, [
      "Set HOST to an address of this machine, or to 0.0.0.0.",
      "docs/configuration.md#configuration",
    ]);
  }
  if (code !== "EADDRINUSE") return skip(NAME, `could not be tried (${refusal.message})`);
  const near = INSTEAD_OF_ALL[host] ?? host;
  const name = near.includes(":") ? `[${near}]` : near;
  const url = new URL(`${cert === undefined ? "http" : "https"}://${name}:${port}${basePath}`);
  const answer = await ask({ url, verifies: false }, "/trpc/system.info", { signal }).catch(
    () => undefined,
  );
  const info = answer && infoIn(answer);
  if (info !== undefined) {
    const version = "version" in info ? ` of version ${info.version}` : "";
    return ok(NAME, `${port} on ${host} is in use by a running Jobwire${version}`);
  }
  return fail(NAME, `${port} on ${host} is in use by another program`, [
    "Stop it, or choose another port with PORT.",
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
