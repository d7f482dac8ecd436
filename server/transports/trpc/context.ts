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

/** A class, because each connection has one for as long as it lives. */
export class Context implements Services {
  readonly #services: Services;
  readonly #socket: Writable;
  readonly #caller: Principal | TRPCError;
  /** The batch that a call belongs to; `undefined` where it is a request of its own. */
  readonly batch: Batch | undefined;
  readonly #response: ServerResponse | undefined;

  /** `caller`: the principal, or the reason why there is none. `response`: of a request over HTTP. */
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

  /** Why no call of this connection is served. The connection stays open, so that each of its calls is told. */
  refusal(): TRPCError | undefined {
    return this.#caller instanceof TRPCError ? this.#caller : undefined;
  }

  /** Throws `refusal()`, where there is one. */
  principal(): Principal {
    if (this.#caller instanceof TRPCError) throw this.#caller;
    return this.#caller;
  }

  /** Resolves when the connection takes more. For what is pulled. */
  untilDrain(): Promise<void> {
    return untilDrained(this.#socket);
  }

  /** The stream that is about to end is over for good: its client need not come back. */
  endForGood(): void {
    if (this.#response !== undefined) endForGood(this.#response);
  }
}
