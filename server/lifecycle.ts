/**
 * From the first call to the last: a Jobwire opens its engine when it is first needed, serves in one place, and closes once.
 *
 *   nothing ──► core (runs jobs, takes commands) ──► door (serves clients) ──► closed
 */
import type { Logger } from "pino";
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import type { UserRef } from "#shared/known-user.ts";
import { claimPath, openAttachment } from "./attachment.ts";
import type { Config } from "./config.ts";
import { type Core, openCore } from "./core.ts";
import { assertNotExposed } from "./exposure.ts";
import type { GatewayParts } from "./gateway.ts";
import { prepareTls } from "./http-server.ts";
import type { Stopped } from "./jobs/runner.ts";
import type { KindRegistry } from "./kinds/registry.ts";
import { type Door, openListener } from "./listener.ts";
import type { OpenableSource } from "./sources/open.ts";
import { SYSTEM_CLOCK } from "./time/system-clock.ts";

export interface Lifecycle {
  /** Opens the engine and runs jobs. A call after a failed one tries again. */
  start(): Promise<Core>;
  /** Serves on a server of its own. Rejects with the errors of `listen`, such as `EADDRINUSE`. */
  listen(at?: { host?: string | undefined; port?: number | undefined }): Promise<string>;
  /** Serves inside the server of another program, whose path it takes at once. */
  attach(server: unknown, basePath: string): Promise<void>;
  /** The number of running jobs. */
  running(): number;
  /** Lets running jobs finish or releases them, tells clients to reconnect, and closes the engine. */
  close(): Promise<Stopped>;
}

export function createLifecycle(
  config: Config,
  options: GatewayParts & {
    kinds: KindRegistry;
    log: Logger;
    clock?: Clock | undefined;
    scheduleOwner?: UserRef | undefined;
    sources?: readonly OpenableSource[] | undefined;
  },
): Lifecycle {
  const { kinds, log, clock = SYSTEM_CLOCK, scheduleOwner, sources, ...parts } = options;
  const ownAuthenticate = parts.authenticate !== undefined;
  let opening: Promise<Core> | undefined;
  let core: Core | undefined;
  let door: Promise<Door> | undefined;
  let closing: Promise<Stopped> | undefined;

  function assertOpen(): void {
    if (closing !== undefined) throw new AppError("UNAVAILABLE", "This Jobwire is closed.");
  }

  /** Opens the core once; the next call tries again if that failed. */
  async function opened(): Promise<Core> {
    assertOpen();
    const attempt = (opening ??= openCore(config, {
      kinds,
      log,
      ownAuthenticate,
      scheduleOwner,
      sources,
      clock,
    }));
    try {
      core = await attempt;
    } catch (error) {
      if (opening === attempt) opening = undefined;
      throw error;
    }
    assertOpen();
    return core;
  }

  function assertServesNowhere(): void {
    assertOpen();
    if (door === undefined) return;
    throw new Error(
      "This Jobwire serves already: call `listen` or `attach` once. Another server needs another createJobwire, with data of its own.",
    );
  }

  /** It has one door at most, and gets another one only if the first could not be opened. */
  async function serve<D extends Door>(
    open: (core: Core) => Promise<D>,
    before: Promise<unknown> = Promise.resolve(),
  ): Promise<D> {
    assertServesNowhere();
    const entered = before.then(opened).then(open);
    door = entered;
    try {
      const served = await entered;
      assertOpen();
      core?.run();
      return served;
    } catch (error) {
      if (closing === undefined) door = undefined;
      throw error;
    }
  }

  async function close(): Promise<Stopped> {
    // A core or door that is still opening is closed as soon as it is open. Its caller learns that it is closed.
    const served = await door?.catch(() => undefined);
    const running = await opening?.catch(() => undefined);
    const stopping = running?.stop();
    served?.ending();
    // Before the door closes, so that watchers still see their jobs end.
    const stopped = (await stopping) ?? { finished: 0, givenBack: 0 };
    await served?.handOver();
    await served?.close();
    await running?.close();
    return stopped;
  }

  return {
    async start() {
      const started = await opened();
      started.run();
      return started;
    },
    async listen({ host = config.HOST, port = config.PORT } = {}) {
      const at = { ...config, HOST: host, PORT: port };
      assertNotExposed(at, ownAuthenticate);
      assertServesNowhere();
      // A certificate that cannot be used is told before the data is opened.
      const tls = prepareTls(config, log);
      const { url } = await serve(
        async (running) => openListener(running, { config: at, tls: await tls }, parts),
        tls,
      );
      return url;
    },
    async attach(server, basePath) {
      assertServesNowhere();
      const path = claimPath(server, basePath, config);
      try {
        await serve((running) => openAttachment(running, path, parts));
      } catch (error) {
        // A program that closes Jobwire is about to end, and its clients are to try again; otherwise it may go on without.
        if (closing === undefined) path.giveBack();
        else path.close();
        throw error;
      }
    },
    running: () => core?.running() ?? 0,
    close: () => (closing ??= close()),
  };
}
