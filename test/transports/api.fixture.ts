/** For tests: clients of the API. SSE with an `EventSource` of the standard, streams over a WebSocket with the class of browsers. */
import { EventSource } from "eventsource";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { AnyKind } from "#server/kinds/define.ts";
import { createApiTransport } from "#server/transports/api/transport.ts";
import type { JobEvent } from "#shared/events.ts";
import { type JobsFixture, openJobsFixture } from "#test/jobs/jobs.fixture.ts";
import { type ServerOptions, serveTransport } from "#test/transports/server.fixture.ts";
import type { ClientUnderTest, Token } from "#test/transports/transport.suite.ts";

const tokenOf = (token: Token | undefined) => (typeof token === "function" ? token() : token);
const streamOf = (jobId: string, cursor: string | undefined) =>
  `/api/v1/jobs/${jobId}/events?follow=true${cursor === undefined ? "" : `&lastEventId=${cursor}`}`;
const eventIn = (text: string) => {
  const event = JSON.parse(text) as JobEvent;
  return { ...event, at: new Date(event.at) };
};

/** The library reconnects by itself, with the id of the newest event. */
export function openEventSourceClient(url: string, token?: Token): ClientUnderTest {
  return {
    watchJob(jobId, cursor) {
      const shown: JobEvent[] = [];
      const errors: string[] = [];
      const source = new EventSource(url + streamOf(jobId, cursor), {
        async fetch(address, init) {
          const bearer = tokenOf(token);
          const headers = {
            ...init.headers,
            ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
          };
          const answer = await fetch(address, { ...init, headers });
          if (!answer.ok) errors.push(((await answer.clone().json()) as { code: string }).code);
          return answer;
        },
      });
      onTestFinished(() => source.close());
      source.addEventListener("job", ({ data }: MessageEvent<string>) => shown.push(eventIn(data)));
      source.addEventListener("problem", ({ data }: MessageEvent<string>) => {
        errors.push((JSON.parse(data) as { code: string }).code);
        source.close();
      });
      return { shown: () => shown, errors: () => errors, stop: () => source.close() };
    },
  };
}

/** The fields of the texts of a stream. */
export interface StreamText {
  id?: string;
  event: string;
  data: unknown;
}

const COMPLETE = 1000;
const PASSING = 500;

/** A program's client: it comes back with its cursor after each close but a complete one, or a problem that stays. */
export function openSocketClient(url: string, token?: Token): ClientUnderTest {
  return {
    watchJob(jobId, first) {
      const shown: JobEvent[] = [];
      const errors: string[] = [];
      let cursor = first;
      let isOver = false;
      let socket: WebSocket;
      const open = () => {
        const bearer = tokenOf(token);
        const protocols = bearer === undefined ? [] : ["jobwire", `bearer.${bearer}`];
        socket = new WebSocket(url.replace("http", "ws") + streamOf(jobId, cursor), protocols);
        socket.on("error", () => {});
        socket.on("message", (bytes: Buffer) => {
          const { id, event, data } = JSON.parse(String(bytes)) as StreamText;
          if (event === "job") shown.push(eventIn(JSON.stringify(data)));
          cursor = id ?? cursor;
          if (event !== "problem") return;
          const problem = data as { code: string; status: number };
          isOver = problem.status < PASSING && problem.status !== 429;
          if (isOver) errors.push(problem.code);
        });
        socket.on("close", (code) => {
          if (code !== COMPLETE && !isOver) setTimeout(open, 5);
        });
      };
      const stop = () => {
        isOver = true;
        socket.close();
      };
      open();
      onTestFinished(stop);
      return { shown: () => shown, errors: () => errors, stop };
    },
  };
}

export interface ApiServer {
  url: string;
  fixture: JobsFixture;
  watches(): number;
  /** Asks for a path below the API. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Posts JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** The API on a real server and engine, without a runner. Closes with the test. */
export async function openApiServer(
  options: ServerOptions & { kinds?: readonly AnyKind[]; origins?: string[] } = {},
): Promise<ApiServer> {
  const fixture = await openJobsFixture(options.kinds);
  const served = await serveTransport((context) => createApiTransport(context), {
    ...options,
    jobs: fixture.jobs,
    engine: fixture.engine,
    log: pino({ level: "silent" }),
  });
  onTestFinished(async () => {
    await served.close();
    await fixture.close();
  });
  const ask = (path: string, init?: RequestInit) => fetch(`${served.url}/api/v1${path}`, init);
  return {
    url: served.url,
    fixture,
    watches: served.watches,
    ask,
    post: (path, body, headers = {}) =>
      ask(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
      }),
  };
}
