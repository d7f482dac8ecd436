/** The program: starts the server, stops it at a signal, and explains failed starts to people. */
import type { Logger } from "pino";
import { AppError, asError, messageOf } from "#shared/errors.ts";
import type { SettingsOf, Variables } from "#shared/variables.ts";
import { type App, type AppParts, createApp } from "./app.ts";
import { type Config, ConfigError, loadConfig } from "./config.ts";
import { selectEngine } from "./engine/index.ts";
import type { ListenError } from "./http-server.ts";
import { takeStrayError } from "./jobs/foreign-code.ts";
import { KindError } from "./kinds/registry.ts";
import { createLog } from "./log.ts";
import { startTracing } from "./start-tracing.ts";
import { stoppedMessage, stoppingMessage } from "./shutdown-messages.ts";

/** sysexits.h: the configuration is wrong. */
const EX_CONFIG = 78;
/** The exit codes that shells report for a process ended by a signal. */
const BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/** A program's own environment variables, and the parts that it makes of their values. */
export interface Application<Own extends Variables> {
  /** Checked with Jobwire's own; none of them may have the name of one of these. */
  variables: Own;
  /** `serverUrl` resolves to `App.url` when the server listens, after this call: a job may await it. */
  parts(settings: Config & SettingsOf<Own>, serverUrl: Promise<string>): AppParts;
}

/** Runs a server of these parts, without variables of their own. Resolves when the server listens. */
export function runProgram(env: NodeJS.ProcessEnv, parts: AppParts = {}): Promise<void> {
  return runApplication(env, { variables: {}, parts: () => parts });
}

/** Resolves when the server listens. */
export function runApplication<Own extends Variables>(
  env: NodeJS.ProcessEnv,
  application: Application<Own>,
): Promise<void> {
  return runUntilSignal(env, async () => {
    const config = loadConfig(env, application.variables);
    const log = createLog(config.LOG_LEVEL, process.stdout);
    const serverUrl = Promise.withResolvers<string>();
    const parts = application.parts(config, serverUrl.promise);
    const app = await createApp(config, { log, ...parts });
    serverUrl.resolve(app.url);
    return { app, config, log };
  });
}

/** Started by `start`: what runs, its configuration, and its log. */
export interface Started {
  app: App;
  config: Config;
  log: Logger;
}

/** Starts a server, and stops it at a signal. Ends the process with an explanation if it does not start. */
export async function runUntilSignal(
  env: NodeJS.ProcessEnv,
  start: () => Promise<Started>,
): Promise<void> {
  // The reader of the log may exit; the server continues. pino's own standard output would wait for the reader forever.
  process.stdout.on("error", () => undefined);
  // Before the server takes calls.
  let started: Started | undefined;
  const tracing = await startTracing(env, () => started?.log).catch(failStart);
  started = await start().catch(failStart);
  const { app, config, log } = started;
  for (const note of tracing.notes) {
    log.warn({ reason: note }, "A variable of OpenTelemetry cannot be used, and is ignored");
  }
  const { ROLE: role, DATA_DIR: dataDir } = config;
  const { multiProcess } = selectEngine(config).capabilities;
  log.info({ url: app.url, ...(multiProcess ? { role } : { dataDir }) }, "listening");
  tell(role === "worker" ? "Jobwire's worker runs jobs" : `Jobwire is at ${app.url}`);

  // Stored data is consistent whenever the process ends, but memory may be inconsistent after a fault, so the process must
  // exit. A rejection is such a fault too: an async function threw, and the code after it did not run.
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      if (takeStrayError(error)) return;
      log.fatal(
        { err: asError(error) },
        "A fault in the server: it exits, and its running jobs are released when their leases end",
      );
      process.exit(1);
    });
  }

  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // A second signal stops the server at once.
      if (stopping) process.exit(BY_SIGNAL[signal]);
      stopping = true;
      const stop = { signal, jobs: app.running(), graceMs: config.SHUTDOWN_GRACE_MS };
      log.info({ signal, jobs: stop.jobs }, stoppingMessage(stop));
      if (stop.jobs > 0) tell(stoppingMessage(stop));
      void app.close().then(async (stopped) => {
        await tracing.end();
        log.info(stopped, stoppedMessage(stopped));
        if (stop.jobs > 0) tell(stoppedMessage(stopped));
        process.exit(0);
      });
    });
  }
}

function failStart(error: unknown): never {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(error instanceof ConfigError ? EX_CONFIG : 1);
}

/** Prints a line for people at a terminal, in addition to the log. */
function tell(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\n  ${line}\n\n`);
}

function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof AppError || error instanceof KindError) {
    return error.message;
  }
  if (!(error instanceof Error)) return messageOf(error);
  const { code, port, address, variable = "PORT" } = error as ListenError;
  if (code === "EADDRINUSE") {
    return `Port ${port} on ${address} is in use. Stop the program that uses it, or choose another with ${variable}.`;
  }
  if (code === "EACCES" && port !== undefined) {
    return `Port ${port} may not be used by this user. Choose one above 1023 with ${variable}.`;
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return `HOST names no address of this machine: ${address ?? "it cannot be resolved"}.`;
  }
  return error.stack ?? error.message;
}
