/**
 * The suite of all transports: their promises to clients, tested over real sockets. Each transport must pass it with a client of
 * its protocol, and declares the limits of the protocol as capabilities.
 */
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { pino } from "pino";
import { v7 as newId } from "uuid";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { Authenticate, Transport, TransportContext } from "#server/transports/contract.ts";
import { MAX_SUBSCRIPTIONS } from "#server/transports/limits/subscription-limit.ts";
import { blocked } from "#server/kinds/define.ts";
import type { JobEvent } from "#shared/events.ts";
import type { Job } from "#shared/job.ts";
import { me } from "#test/jobs/acting.ts";
import {
  DONE,
  eventually,
  type JobsFixture,
  openJobsFixture,
  reportMuch,
} from "#test/jobs/jobs.fixture.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import { withOutage } from "#test/streams/streams.fixture.ts";
import type { TestPair } from "#test/tls/certificate.fixture.ts";
import { openCable } from "./cable.fixture.ts";
import { portOf, type ServerOptions, serveTransport } from "./server.fixture.ts";

export interface TransportUnderTest {
  name: string;
  create(context: TransportContext): Transport;
  capabilities: TransportCapabilities;
  /** The server speaks TLS with this pair, which the clients trust. */
  tls?: TestPair;
  /** False: the server compresses nothing. By default it does for clients that ask for it, as those of the suite do. */
  compression?: false;
  /** A client of the protocol that reconnects by itself. Closes with the test. */
  openClient(options: { url: string; token?: Token | undefined }): ClientUnderTest;
  /** Hostile inputs by name. Each resolves when the server has answered it or closed the connection. */
  hostile: Readonly<Record<string, (url: string) => Promise<unknown>>>;
}

/** A function is called for each connection. */
export type Token = string | (() => string);

export interface TransportCapabilities {
  /**
   * True if clients send cursors and receive whole events. Otherwise they receive the current state after a reconnect, and
   * skipped events are not marked.
   */
  cursor: boolean;
  /** True if one connection carries many subscriptions. */
  multiplexed: boolean;
  /** True if the protocol's own client reconnects with a new token when the server ends a connection whose token has ended. */
  renewsToken: boolean;
  /** How often a test may cut the connection. Low for clients that wait for seconds before they reconnect. */
  cuts: number;
}

export interface ClientUnderTest {
  /** Without a cursor, or the capability, the watch begins with the current state. It follows a settled job. */
  watchJob(jobId: string, cursor?: string): JobWatch;
}

export interface JobWatch {
  /** The states that the client received, in order: whole events if the transport has cursors. */
  shown(): readonly ShownState[];
  /** The codes of the errors that ended the watch. */
  errors(): readonly string[];
  /** Unsubscribes. */
  stop(): void;
}

export type ShownState = Pick<JobEvent, "status" | "progress" | "message"> & Partial<JobEvent>;

const STEPS = 30;
/** The pace of a job that reports while tokens end. */
const REPORT_MS = 5;
const MIB = 1024 * 1024;

/**
 * Returns the owner of a token; without a token, the owner of these tests' jobs. A number is a token of that owner, and the
 * time at which it ends.
 */
/** Over HTTP each request has the token in its header. */
const authenticate: Authenticate = async ({ headers, token: sent }) => {
  const token = sent ?? headers.authorization?.replace("Bearer ", "");
  if (token === undefined) return me;
  const expiresAt = Number(token);
  return Number.isNaN(expiresAt) ? { ...me, userId: token } : { ...me, expiresAt };
};

const TOKEN_MS = 1000;
const LIFETIMES = 3;

async function openServer(
  subject: TransportUnderTest,
  options: ServerOptions & { wrap?: (engine: Engine) => Engine } = {},
) {
  const fixture = await openJobsFixture();
  const serve = (port?: number) =>
    serveTransport(subject.create, {
      authenticate,
      ...options,
      tls: subject.tls,
      compression: subject.compression,
      jobs: fixture.jobs,
      engine: options.wrap?.(fixture.engine) ?? fixture.engine,
      log: pino({ level: "silent" }),
      port,
    });
  let served = await serve();
  onTestFinished(async () => {
    await served.close();
    await fixture.close();
  });
  return {
    fixture,
    url: served.url,
    served: () => served,
    watches: () => served.watches(),
    /** Stops the server and starts another one on the same port and data. */
    async restart() {
      await served.close();
      await fixture.crash();
      served = await serve(portOf(served));
    },
  };
}

/** Returns the index of each state in the log, or -1. Messages in these logs are unique. */
function positionsIn(log: readonly JobEvent[], shown: readonly ShownState[]): number[] {
  const keyOf = ({ status, message }: ShownState) => `${status} ${message}`;
  const positions = new Map(log.map((event, position) => [keyOf(event), position]));
  return shown.map((state) => positions.get(keyOf(state)) ?? -1);
}

/** Expects states from the log, never backwards, up to its end. States may be missing or repeated. */
function expectInOrder(log: readonly JobEvent[], shown: readonly ShownState[]): void {
  const positions = positionsIn(log, shown);
  expect(positions).not.toContain(-1);
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  expect(positions.at(-1)).toBe(log.length - 1);
}

const isOver = (watch: JobWatch) =>
  eventually(() => expect(watch.shown().at(-1)?.status).toBe("DELIVERED"));

export function transportSuite(subject: TransportUnderTest): void {
  const { capabilities, openClient } = subject;

  /** Expects the whole log, each event once: for a watch that was never cut or has a cursor. */
  function expectWhole(log: readonly JobEvent[], shown: readonly ShownState[]): void {
    expect(positionsIn(log, shown)).toEqual([...log.keys()]);
    expect(capabilities.cursor ? shown : log).toEqual(log);
  }

  /** For a watch whose connection was cut. */
  const expectResumed = capabilities.cursor ? expectWhole : expectInOrder;

  async function expectRenewed(fixture: JobsFixture, jobId: string, watch: JobWatch) {
    if (!capabilities.renewsToken) return;
    await isOver(watch);
    expectResumed(await fixture.log(jobId), watch.shown());
  }

  describe(`transport: ${subject.name}`, () => {
    test("[S1] [S2] [S4] [S5] [S11] each watcher sees the current state, then every event once and in order", async () => {
      const { fixture, url, watches } = await openServer(subject);
      fixture.run = async ({ progress }) => {
        for (let n = 1; n <= STEPS; n++) await progress(n * 3, `Step ${n}`);
        return DONE;
      };
      const jobId = await fixture.create();
      const both = [openClient({ url }), openClient({ url })].map((each) => each.watchJob(jobId));
      await eventually(() => expect(both.map((each) => each.shown().length)).toEqual([1, 1]));
      fixture.startRunner();
      for (const each of both) await isOver(each);
      const log = await fixture.log(jobId);
      for (const each of both) expectWhole(log, each.shown());
      for (const each of both) each.stop();
      await eventually(() => expect(watches()).toBe(0));
    });

    test("[J18] [S11] every event brings the newest details, where the protocol has them", async () => {
      const { fixture, url } = await openServer(subject);
      const some = { files: [{ name: "<b>a</b>" }], "a.b": "\\", __proto: 1, at: "2026-01-01" };
      fixture.run = async ({ progress }) => {
        for (let n = 1; n <= STEPS; n++) {
          await progress(n * 3, `Step ${n}`, n % 4 === 0 ? { ...some, n } : undefined);
        }
        return DONE;
      };
      const jobId = await fixture.create();
      const watch = openClient({ url }).watchJob(jobId);
      await eventually(() => expect(watch.shown()).toHaveLength(1));
      fixture.startRunner();
      await isOver(watch);
      const log = await fixture.log(jobId);
      expectWhole(log, watch.shown());
      expect(log.map(({ details }) => details)).toEqual(
        log.map((_, index) => {
          // `created` and `started` come first, and `delivered` last.
          const n = Math.min(index - 1, STEPS);
          return n < 4 ? undefined : { ...some, n: n - (n % 4) };
        }),
      );
    });

    test("[S1] [S2] [S3] [S5] [S9] a client resumes at its cursor, however often its connection is cut", async () => {
      const { fixture, url } = await openServer(subject);
      const cable = await openCable(url);
      const every = STEPS / capabilities.cuts;
      fixture.run = async ({ progress }) => {
        for (let n = 1; n <= STEPS; n++) {
          await progress(n, `Step ${n}`);
          if (n % every !== 0) continue;
          // The cut falls between events, while some of them are in transit.
          await eventually(() => expect(watch.shown().at(-1)?.progress).toBeGreaterThan(n - every));
          cable.cut();
        }
        return DONE;
      };
      const jobId = await fixture.create();
      const watch = openClient({ url: cable.url }).watchJob(jobId);
      await eventually(() => expect(watch.shown()).toHaveLength(1));
      fixture.startRunner();
      await isOver(watch);
      expect(cable.cuts).toBe(capabilities.cuts);
      const log = await fixture.log(jobId);
      expectResumed(log, watch.shown());
      expect(watch.errors()).toEqual([]);
    });

    test.runIf(capabilities.cursor)(
      "[S1] [S2] [S9] from every cursor a client receives exactly the events after it",
      async () => {
        const { fixture, url } = await openServer(subject);
        fixture.run = async ({ progress }) => {
          for (let n = 1; n <= 8; n++) await progress(n * 9, `Step ${n}`);
          return DONE;
        };
        const jobId = await fixture.create();
        fixture.startRunner();
        await fixture.reaches(jobId, "DELIVERED");
        const log = await fixture.log(jobId);
        const client = openClient({ url });
        await fc.assert(
          fc.asyncProperty(fc.integer({ min: 0, max: log.length - 1 }), async (cursor) => {
            const watch = client.watchJob(jobId, String(cursor));
            await isOver(watch);
            expect(watch.shown()).toEqual(log.slice(cursor));
            watch.stop();
          }),
          { numRuns: 15 },
        );
      },
    );

    test.runIf(capabilities.cursor)(
      "[S8] a cursor beyond the log is answered by the current state, marked as a gap",
      async () => {
        const { fixture, url } = await openServer(subject);
        const watch = openClient({ url }).watchJob(await fixture.create(), "99");
        await eventually(() => expect(watch.shown()).toMatchObject([{ seq: 1, gap: true }]));
      },
    );

    test("[S7] a client that unsubscribes or loses its connection leaves no watch", async () => {
      // A poller holds no connection between two polls: its session ends by a missed heartbeat.
      const ping = { intervalMs: 1000, timeoutMs: 2000 };
      const { fixture, url, watches } = await openServer(subject, { ping });
      const cable = await openCable(url);
      const jobId = await fixture.create();
      const staying = openClient({ url }).watchJob(jobId);
      const leaving = openClient({ url: cable.url }).watchJob(jobId);
      await eventually(() => expect(watches()).toBe(2));
      leaving.stop();
      await eventually(() => expect(watches()).toBe(1));
      const lost = openClient({ url: cable.url });
      lost.watchJob(jobId).stop();
      lost.watchJob(await fixture.create());
      await eventually(() => expect(watches()).toBe(2));
      cable.pause();
      cable.cut();
      await eventually(() => expect(watches()).toBe(1));
      staying.stop();
      await eventually(() => expect(watches()).toBe(0));
    });

    test("[J9] a job of another owner is answered exactly like one that does not exist", async () => {
      const { fixture, url, watches } = await openServer(subject);
      const [foreign, missing] = [await fixture.create(), newId()];
      const client = openClient({ url, token: "bob" });
      const both = [client.watchJob(foreign), client.watchJob(missing)];
      await eventually(() =>
        expect(both.map((each) => each.errors())).toEqual([["NOT_FOUND"], ["NOT_FOUND"]]),
      );
      expect(both.flatMap((each) => each.shown())).toEqual([]);
      expect(watches()).toBe(0);
    });

    test("[P5] a watch outlives the tokens of its client, and misses nothing", async () => {
      const credentialLimits = { graceMs: 100, identifyMs: 10_000 };
      const { fixture, url } = await openServer(subject, { credentialLimits });
      let tokens = 0;
      const client = openClient({
        url,
        token() {
          tokens += 1;
          return String(Date.now() + TOKEN_MS);
        },
      });
      fixture.run = async ({ progress }) => {
        for (let n = 1; n <= LIFETIMES; n++) {
          // Some of these reports fall into the time in which the client moves to another connection.
          const isLater = () => tokens > n || watch.errors().length > 0;
          for (let step = 0; !isLater(); step++) {
            await progress(Math.min(99, step), `Step ${step} of ${n}`);
            await delay(REPORT_MS);
          }
        }
        return DONE;
      };
      const jobId = await fixture.create();
      const watch = client.watchJob(jobId);
      await eventually(() => expect(watch.shown()).toHaveLength(1));
      fixture.startRunner();
      await fixture.reaches(jobId, "DELIVERED");
      expect(watch.errors()).toEqual(capabilities.renewsToken ? [] : ["TOKEN_EXPIRED"]);
      await expectRenewed(fixture, jobId, watch);
    });

    test("[S2] [S3] [S7] a client that does not read costs a bounded buffer, and receives the rest folded when it reads again", async () => {
      const { fixture, url, served } = await openServer(subject);
      const steps = 4000;
      fixture.run = async ({ progress }) => {
        // First as much as the kernel keeps for the client: between some megabytes and forty.
        let before;
        do {
          before = served().delivered();
          await reportMuch(progress, 500);
        } while (served().delivered() > before);
        await reportMuch(progress, steps);
        return blocked("Blocked", null);
      };
      const cable = await openCable(url);
      const jobId = await fixture.create();
      const watch = openClient({ url: cable.url }).watchJob(jobId);
      await eventually(() => expect(watch.shown()).toHaveLength(1));
      cable.pause();
      let queued = 0;
      fixture.startRunner();
      await eventually(async () => {
        queued = Math.max(queued, ...served().sockets.map((each) => each.writableLength));
        expect((await fixture.job(jobId)).status).toBe("BLOCKED");
      });
      await fixture.jobs.decide(me, jobId, "approve");
      expect(queued).toBeLessThan(MIB);
      const before = served().delivered();
      cable.resume();
      await isOver(watch);
      // The rest of 8 MB arrives folded.
      expect(served().delivered() - before).toBeLessThan(steps / 2);
      const log = (await fixture.engine.readEvents(jobId, 0, 100_000))?.events ?? [];
      expectInOrder(log, watch.shown());
      const statuses = watch.shown().map(({ status }) => status);
      expect(statuses.slice(-3)).toEqual(["PROCESSING", "BLOCKED", "DELIVERED"]);
      const events = watch.shown() as readonly JobEvent[];
      const connections = capabilities.cursor ? [{ after: undefined, seen: events }] : [];
      expect(checkRecord(log, connections)).toEqual([]);
    });

    test("[S8] a watch whose job is deleted ends with that reason, and other watches continue", async () => {
      const { fixture, url, watches } = await openServer(subject);
      const [deleted, kept] = [await fixture.create(), await fixture.create()];
      await fixture.jobs.decide(me, deleted, "cancel");
      const client = openClient({ url });
      const [over, staying] = [client.watchJob(deleted), client.watchJob(kept)];
      await eventually(() => expect(over.shown()).toMatchObject([{ status: "ABORTED" }]));
      await eventually(() => expect(staying.shown()).toHaveLength(1));
      expect(await fixture.engine.prune(new Date(fixture.now().getTime() + 1), 10)).toBe(1);
      await eventually(() => expect(over.errors()).toEqual(["NOT_FOUND"]));
      expect(watches()).toBe(1);
      fixture.startRunner();
      await isOver(staying);
      expectWhole(await fixture.log(kept), staying.shown());
      expect(staying.errors()).toEqual([]);
    });

    test.runIf(capabilities.multiplexed)(
      "[H5] a connection has at most 1,000 subscriptions, and can open another after one ends",
      async () => {
        const { fixture, url, watches } = await openServer(subject);
        const work = { kind: "work", input: {} };
        const jobs = Array.from({ length: MAX_SUBSCRIPTIONS + 1 }, () => work);
        await fixture.jobs.createBatch(me, { jobs });
        const { items } = await fixture.jobs.list(me, { limit: jobs.length });
        const [last = "", ...ids] = items.map(({ id }) => id);
        const client = openClient({ url });
        const served = ids.map((id) => client.watchJob(id));
        await eventually(() => expect(watches()).toBe(MAX_SUBSCRIPTIONS));
        const refused = client.watchJob(last);
        await eventually(() => expect(refused.errors()).toEqual(["BAD_REQUEST"]));
        expect(watches()).toBe(MAX_SUBSCRIPTIONS);
        served[0]?.stop();
        await eventually(() => expect(watches()).toBe(MAX_SUBSCRIPTIONS - 1));
        const taken = client.watchJob(last);
        await eventually(() => expect(taken.shown()).toHaveLength(1));
        expect(served.flatMap((each) => each.errors())).toEqual([]);
      },
    );

    test("a watch that is opened while the data cannot be read begins when it can", async () => {
      let outage: ReturnType<typeof withOutage> | undefined;
      const wrap = (engine: Engine) =>
        (outage = withOutage(engine, ["getSummary", "readEvents"])).engine;
      const { fixture, url } = await openServer(subject, { wrap });
      const jobId = await fixture.create();
      const client = openClient({ url });
      const [watch, missing] = [client.watchJob(jobId), client.watchJob(newId())];
      await eventually(() => expect(outage?.tries()).toBeGreaterThan(2));
      expect([watch, missing].flatMap((each) => [...each.shown(), ...each.errors()])).toEqual([]);
      outage?.back();
      await eventually(() => expect(watch.shown()).toMatchObject([{ status: "PENDING" }]));
      await eventually(() => expect(missing.errors()).toEqual(["NOT_FOUND"]));
      fixture.startRunner();
      await isOver(watch);
      expectWhole(await fixture.log(jobId), watch.shown());
      expect(watch.errors()).toEqual([]);
    });

    test("[S6] [S9] clients reconnect by themselves after a hand-over and after a restart, and resume", async () => {
      const server = await openServer(subject);
      const { fixture, url } = server;
      const jobIds = [await fixture.create(), await fixture.create(), await fixture.create()];
      const watches = jobIds.map((jobId) => openClient({ url }).watchJob(jobId));
      await eventually(() => expect(watches.map((each) => each.shown().length)).toEqual([1, 1, 1]));
      const [first = "", second = ""] = jobIds;
      await server.served().transport.handOver?.(100);
      await fixture.jobs.decide(me, first, "cancel");
      await server.restart();
      await fixture.jobs.decide(me, second, "cancel");
      fixture.startRunner();
      await eventually(() =>
        expect(watches.map((each) => each.shown().at(-1)?.status)).toEqual([
          "ABORTED",
          "ABORTED",
          "DELIVERED",
        ] satisfies Job["status"][]),
      );
      for (const [index, watch] of watches.entries()) {
        const log = await fixture.log(jobIds[index] ?? "");
        expectResumed(log, watch.shown());
        expect(watch.errors()).toEqual([]);
      }
    });

    test("hostile input gets an answer or closes its sender's connection, and a witness loses nothing", async () => {
      const { fixture, url, watches } = await openServer(subject);
      const jobId = await fixture.create();
      const witness = openClient({ url }).watchJob(jobId);
      await eventually(() => expect(witness.shown()).toHaveLength(1));
      fixture.run = async ({ progress }) => {
        let n = 0;
        for (const [name, send] of Object.entries(subject.hostile)) {
          await send(url);
          await progress((n += 1), name);
        }
        return DONE;
      };
      fixture.startRunner();
      await isOver(witness);
      const log = await fixture.log(jobId);
      expectWhole(log, witness.shown());
      expect(log).toHaveLength(3 + Object.keys(subject.hostile).length);
      expect(witness.errors()).toEqual([]);
      await eventually(() => expect(watches()).toBe(1));
    });
  });
}
