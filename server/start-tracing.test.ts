import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { tracingOf } from "./start-tracing.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ENDPOINT = "http://127.0.0.1:4318";
const W3C = ["tracecontext", "baggage"];

function evaluate(program: string, cwd: string, env: Record<string, string> = {}) {
  const args = ["--input-type=module-typescript", "--eval", program];
  return promisify(execFile)(process.execPath, args, { cwd, env });
}

test.each<[Record<string, string>, readonly string[] | undefined]>([
  [{}, undefined],
  [{ OTEL_SERVICE_NAME: "mine", OTEL_TRACES_SAMPLER: "always_on" }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "", OTEL_TRACES_EXPORTER: " " }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT }, W3C],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${ENDPOINT}/v1/traces` }, W3C],
  [{ OTEL_TRACES_EXPORTER: "otlp" }, W3C],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT, OTEL_TRACES_EXPORTER: "none" }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT, OTEL_SDK_DISABLED: "True" }, undefined],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT, OTEL_SDK_DISABLED: "false" }, W3C],
  [{ OTEL_TRACES_EXPORTER: "otlp", OTEL_PROPAGATORS: "tracecontext" }, ["tracecontext"]],
  [{ OTEL_TRACES_EXPORTER: "otlp", OTEL_PROPAGATORS: "none" }, []],
  [{ OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" }, W3C],
  // Of no concern where there are no traces.
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, undefined],
])("[V4] %j asks for traces with the propagators %j", (env, propagators) => {
  expect(tracingOf(env)?.propagators).toEqual(propagators);
});

test("[V4] what Jobwire cannot do with the variables stops the start, and names them", () => {
  const env = {
    OTEL_TRACES_EXPORTER: "zipkin",
    OTEL_EXPORTER_OTLP_ENDPOINT: "user:secret@collector",
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "grpc",
    OTEL_PROPAGATORS: "tracecontext, b3",
  };
  expect(() => tracingOf(env)).toThrow(
    expect.objectContaining({
      name: "ConfigError",
      lines: [
        'OTEL_TRACES_EXPORTER is "zipkin". Jobwire has otlp and none.',
        "OTEL_EXPORTER_OTLP_ENDPOINT is no address. Give one such as http://localhost:4318.",
        'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is "grpc". Jobwire sends http/protobuf alone.',
        'OTEL_PROPAGATORS has "b3". Jobwire has tracecontext, baggage and none.',
      ],
    }),
  );
});

test("[V4] variables that the SDK ignores are told", async () => {
  const program = `
    const { startTracing } = await import("#server/start-tracing.ts");
    const { end, notes } = await startTracing(process.env, () => undefined);
    await end();
    console.log(notes.join());`;
  const { stdout } = await evaluate(program, ROOT, {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_TRACES_SAMPLER: "sometimes",
  });
  expect(stdout).toMatch(/OTEL_TRACES_SAMPLER.*sometimes/);
});

/** The sources of tracing in a program that has installed the package's dependencies, and no SDK. */
async function withoutSdk(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "jobwire-tracing-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const part of ["package.json", "server/start-tracing.ts", "server/tracing", "shared"]) {
    await cp(join(ROOT, part), join(directory, part), { recursive: true });
  }
  const api = join(directory, "node_modules/@opentelemetry/api");
  await mkdir(dirname(api), { recursive: true });
  await symlink(join(ROOT, "node_modules/@opentelemetry/api"), api);
  return directory;
}

test("[V4] without the SDK's packages a program starts, unless its variables ask for traces: then it says what to install", async () => {
  const program = `
    const { startTracing } = await import("#server/start-tracing.ts");
    const asked = { OTEL_EXPORTER_OTLP_ENDPOINT: "${ENDPOINT}" };
    for (const env of [{}, asked]) {
      await startTracing(env, () => undefined).then(
        () => console.log("started"),
        (error) => console.log(error.name, error.message),
      );
    }`;
  const { stdout } = await evaluate(program, await withoutSdk());
  expect(stdout).toMatch(/^started\nConfigError The configuration cannot be used:\n/);
  expect(stdout).toContain("Cannot find package '@opentelemetry/core'");
  expect(stdout).toContain("Run `npm install @opentelemetry/sdk-trace-node ");
});
