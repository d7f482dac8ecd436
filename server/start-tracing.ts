/**
 * Starts the SDK of OpenTelemetry where its standard variables ask for traces. They are OpenTelemetry's and not ours: the SDK
 * reads most of them itself, and only what cannot be done with them stops the start.
 */
import type { Logger } from "pino";
import { type Env, ConfigError } from "#shared/load-variables.ts";
import { fieldOf, messageOf } from "#shared/errors.ts";
import PACKAGE from "#package.json" with { type: "json" };
import type { PropagatorName, Sdk } from "./tracing/sdk.ts";

/** Asked for: the propagators that are to be used. */
type Tracing = { propagators: readonly PropagatorName[] };

const PEERS =
  "@opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-proto @opentelemetry/resources @opentelemetry/core";
const ENDPOINTS = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];

/** `undefined`: no traces are asked for. Throws `ConfigError`. */
export function tracingOf(env: Env): Tracing | undefined {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return undefined;
  const endpoint = firstOf(env, ENDPOINTS);
  const exporter = env.OTEL_TRACES_EXPORTER?.trim() || (endpoint === undefined ? "none" : "otlp");
  if (exporter === "none") return undefined;
  const [protocolName, protocol] = firstOf(env, PROTOCOLS) ?? ["", "http/protobuf"];
  const propagators = (env.OTEL_PROPAGATORS?.trim() || "tracecontext,baggage")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "none");
  const unknown = propagators.find((name) => !isPropagator(name));
  const lines: string[] = [];
  if (exporter !== "otlp") {
    lines.push(`OTEL_TRACES_EXPORTER is ${quoted(exporter)}. Jobwire has otlp and none.`);
  }
  // The exporter would go on with its default address. The value may have a password.
  if (endpoint !== undefined && !isAddress(endpoint[1])) {
    lines.push(`${endpoint[0]} is no address. Give one such as http://localhost:4318.`);
  }
  if (protocol !== "http/protobuf") {
    lines.push(`${protocolName} is ${quoted(protocol)}. Jobwire sends http/protobuf alone.`);
  }
  if (unknown !== undefined) {
    const what = `OTEL_PROPAGATORS has ${quoted(unknown)}`;
    lines.push(`${what}. Jobwire has tracecontext, baggage and none.`);
  }
  if (lines.length > 0) throw new ConfigError(lines);
  return { propagators: propagators.filter(isPropagator) };
}

const NONE: Sdk = { end: async () => undefined, notes: [] };

/**
 * Resolves to what ends the export. `log`: `undefined` until the server's log is open. Rejects with `ConfigError` where a package of the SDK is not installed, as in a program that
 * depends on the published package alone.
 */
export async function startTracing(env: Env, log: () => Logger | undefined): Promise<Sdk> {
  const tracing = tracingOf(env);
  if (tracing === undefined) return NONE;
  const { startSdk } = await import("./tracing/sdk.ts").catch(explainMissing);
  const defaults = { "service.name": PACKAGE.name, "service.version": PACKAGE.version };
  return startSdk({ ...tracing, defaults, log }) ?? NONE;
}

function explainMissing(error: unknown): never {
  if (fieldOf(error, "code") !== "ERR_MODULE_NOT_FOUND") throw error;
  throw new ConfigError([
    `Variables of OpenTelemetry ask for traces, and their packages are not all installed (${messageOf(error)}). ` +
      `Run \`npm install ${PEERS}\`, or set OTEL_SDK_DISABLED=true.`,
  ]);
}

function firstOf(env: Env, names: readonly string[]): [name: string, value: string] | undefined {
  for (const name of names) {
    const value = env[name]?.trim();
    if (value) return [name, value];
  }
  return undefined;
}

function isPropagator(name: string): name is PropagatorName {
  return name === "tracecontext" || name === "baggage";
}

function isAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

const quoted = (value: string) => JSON.stringify(value.slice(0, 100));
