/** What procedures get. */
import type { Writable } from "node:stream";
import { TRPCError } from "@trpc/server";
import type { Jobs } from "#server/jobs/jobs.ts";
import type { Streams } from "#server/streams/open.ts";
import type { SystemInfo } from "#server/transports/contract.ts";
import type { Principal } from "#shared/principal.ts";
import { untilDrained } from "./drain.ts";

export interface Services {
  readonly jobs: Jobs;
  readonly streams: Streams;
  readonly system: SystemInfo;
}

/** A class, because each connection has one for as long as it lives. */
export class Context implements Services {
  readonly #services: Services;
  readonly #socket: Writable;
  readonly #caller: Principal | TRPCError;

  /** `caller`: who calls, or why nobody can be told who. */
  constructor(services: Services, socket: Writable, caller: Principal | TRPCError) {
    this.#services = services;
    this.#socket = socket;
    this.#caller = caller;
  }

  get jobs(): Jobs {
    return this.#services.jobs;
  }

  get streams(): Streams {
    return this.#services.streams;
  }

  get system(): SystemInfo {
    return this.#services.system;
  }

  /** Throws `UNAUTHORIZED`. A connection of somebody unknown stays open, so that each of its calls is told why. */
  principal(): Principal {
    if (this.#caller instanceof TRPCError) throw this.#caller;
    return this.#caller;
  }

  /** Resolves when the connection takes more. For what is pulled. */
  drained(): Promise<void> {
    return untilDrained(this.#socket);
  }
}
