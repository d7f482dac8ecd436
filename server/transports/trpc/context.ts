/** The context of procedures. */
import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { TRPCError } from "@trpc/server";
import type { Jobs } from "#server/jobs/jobs.ts";
import type { Streams } from "#server/streams/open.ts";
import type { SystemInfo } from "#server/transports/contract.ts";
import type { Principal } from "#shared/principal.ts";
import type { Batch } from "./batch.ts";
import { untilDrained } from "./drain.ts";
import { endForGood } from "./end-for-good.ts";

export interface Services {
  readonly jobs: Jobs;
  readonly streams: Streams;
  readonly system: SystemInfo;
}

/** A class to save memory: each connection keeps one. */
export class Context implements Services {
  readonly #services: Services;
  readonly #socket: Writable;
  readonly #caller: Principal | TRPCError;
  /** The batch of the call; `undefined` for a call outside a batch. */
  readonly batch: Batch | undefined;
  readonly #response: ServerResponse | undefined;

  /** `caller`: the principal, or the reason for its absence. `response`: only for HTTP requests. */
  constructor(
    services: Services,
    connection: {
      socket: Writable;
      caller: Principal | TRPCError;
      batch?: Batch | undefined;
      response?: ServerResponse | undefined;
    },
  ) {
    this.#services = services;
    this.#socket = connection.socket;
    this.#caller = connection.caller;
    this.batch = connection.batch;
    this.#response = connection.response;
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

  /** The error that answers every call without a principal. The connection stays open, so that each call receives it. */
  refusal(): TRPCError | undefined {
    return this.#caller instanceof TRPCError ? this.#caller : undefined;
  }

  /** Throws `refusal()` if there is one. */
  principal(): Principal {
    if (this.#caller instanceof TRPCError) throw this.#caller;
    return this.#caller;
  }

  /** For pulled streams: resolves when the connection is no longer full. */
  untilDrain(): Promise<void> {
    return untilDrained(this.#socket);
  }

  /** Marks the ending stream as complete, so that its client does not reconnect. */
  endForGood(): void {
    if (this.#response !== undefined) endForGood(this.#response);
  }
}
