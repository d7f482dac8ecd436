/**
 * Starts the SDK of OpenTelemetry where its standard variables ask for traces. They are OpenTelemetry's and not ours: the SDK
 * reads most of them itself, and only what cannot be done with them stops the start.
 */
import type { Logger } from "pino";
import { type Env, ConfigError } from "#shared/load-variables.ts";
import { fieldOf, messageOf } from "#shared/errors.ts";
import PACKAGE from "#package.json" with { type: "json" };
import type { PropagatorName } from "./tracing/sdk.ts";

/** Asked for: the propagators that are to be used. */
type Tracing = { propagators: readonly PropagatorName[] };

const PEERS =
  "@opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-proto @opentelemetry/resources @opentelemetry/core";
const ENDPOINTS = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const PROTOCOLS = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];

/** `undefined`: no traces are asked for. Throws `ConfigError`. */
export function tracingOf(env: Env): Tracing | undefined {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return undefined;
  const asked = env.OTEL_TRACES_EXPORTER?.trim();
  const exporter = asked || (firstOf(env, ENDPOINTS) === undefined ? "none" : "otlp");
  if (exporter === "none") return undefined;
  const lines: string[] = [];
  if (exporter !== "otlp") {
    lines.push(`OTEL_TRACES_EXPORTER is ${quoted(exporter)}. Jobwire has otlp and none.`);
  }
  const [name, protocol] = firstOf(env, PROTOCOLS) ?? ["", "http/protobuf"];
  if (protocol !== "http/protobuf") {
    lines.push(`${name} is ${quoted(protocol)}. Jobwire sends http/protobuf alone.`);
  }
  const propagators = (env.OTEL_PROPAGATORS?.trim() || "tracecontext,baggage")
    .split(",")
    .map((each) => each.trim());
  const known = propagators.filter((each) => each === "tracecontext" || each === "baggage");
  const unknown = propagators.find((each) => each !== "none" && !known.includes(each as "baggage"));
  if (unknown !== undefined) {
    lines.push(
      `OTEL_PROPAGATORS has ${quoted(unknown)}. Jobwire has tracecontext, baggage and none.`,
    );
  }
  if (lines.length > 0) throw new ConfigError(lines);
  return { propagators: known };
}

/**
 * Resolves to what ends the export. `log`: `undefined` until the server's log is open. Rejects with `ConfigError` where a package of the SDK is not installed, as in a program that
 * depends on the published package alone.
 */
export async function startTracing(
  env: Env,
  log: () => Logger | undefined,
): Promise<() => Promise<void>> {
  const tracing = tracingOf(env);
  if (tracing === undefined) return async () => undefined;
  const { startSdk } = await import("./tracing/sdk.ts").catch(explainMissing);
  const defaults = { "service.name": PACKAGE.name, "service.version": PACKAGE.version };
  return startSdk({ ...tracing, defaults, log }) ?? (async () => undefined);
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

const quoted = (value: string) => JSON.stringify(value.slice(0, 100));
