/**
 * Shows who looks at a job or a batch, who is online in the tenant, and who writes a note. To watch is to be seen, unless a
 * caller asks not to be. A person who leaves stays for `GRACE_MS`, so that one who reloads the page, or whose server hands over
 * its clients, does not flicker.
 */
import { v7 as newId } from "uuid";
import type { Engine } from "#server/engine/contract.ts";
import type { Who } from "#server/engine/presence-store.ts";
import type { Pipe, Stream, Streams } from "#server/streams/open.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError } from "#shared/errors.ts";
import { type Presence, type PresenceOf, type PresenceTopic, topicOf } from "#shared/presence.ts";
import { mayChange, type Principal } from "#shared/principal.ts";
import { DelayQueue } from "./delay-queue.ts";
import { viewOf, whoIs } from "./person.ts";
import { type Entered, pipeWithWatcher } from "./presence-pipe.ts";
import { createOwnSource, createPresenceSource } from "./presence-source.ts";
import { createRightsCheck } from "./rights-check.ts";
import { TenantPeople } from "./tenant-people.ts";

/** How long a person who has left is still there. */
export const GRACE_MS = 5000;
/** How long a person writes after they last said so. */
export const TYPING_MS = 5000;
/** People who write, in a process. Beyond it, the one who said so the longest ago writes no more. */
export const MAX_TYPING = 10_000;

export interface WatchingPresence {
  /** Identifies a caller that has no user id of its own. */
  device?: string | undefined;
  /** False: the caller is not seen by others. Default: true. */
  visible?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface PresenceService {
  /** The state, and each one after it. Rejects with `NOT_FOUND` as the streams of the job or batch do. */
  watch(
    principal: Principal,
    of: PresenceOf,
    watching?: WatchingPresence,
  ): Promise<Stream<Presence>>;
  /**
   * The principal writes about the job, for `TYPING_MS` at most, or has stopped. `NOT_FOUND` where it may not decide about the
   * job.
   */
  setTyping(
    principal: Principal,
    jobId: string,
    typing: boolean,
    device: string | undefined,
  ): Promise<void>;
  /** The people of this process are gone `GRACE_MS` later. */
  close(): Promise<void>;
}

export interface PresenceOptions {
  engine: Pick<Engine, "presence" | "getSummary" | "getBatch">;
  streams: Pick<Streams, "about">;
  clock: Clock;
  /** People of a process that was killed are gone within two of these. */
  heartbeatMs: number;
}

export function openPresence({
  engine,
  streams,
  clock,
  heartbeatMs,
}: PresenceOptions): PresenceService {
  const node = newId();
  // A node is forgotten by the next beat of another one after its time: 1.5 + 0.5 heartbeats after its last beat.
  const [beatMs, ttlMs] = [heartbeatMs / 2, heartbeatMs * 1.5];
  const tenants = new Map<string, TenantPeople>();
  /** The watches of each person at a topic, until the person is told to have left. */
  const here = new Map<string, { watches: number }>();
  const leaving = new DelayQueue(clock, GRACE_MS);
  const typing = new DelayQueue(clock, TYPING_MS);
  const rights = createRightsCheck(engine, clock);
  let closed = false;

  const beats = setInterval(() => {
    for (const [tenant, people] of tenants) {
      if (people.isIdle()) tenants.delete(tenant);
      else people.beat();
    }
  }, beatMs).unref();

  function peopleOf(tenant: string): TenantPeople {
    const known = tenants.get(tenant);
    if (known !== undefined) return known;
    const fresh = new TenantPeople(engine.presence, { tenant, node }, ttlMs);
    tenants.set(tenant, fresh);
    return fresh;
  }

  function join(tenant: string, topic: PresenceTopic, who: Who): Entered {
    const key = keyOf(tenant, topic, who);
    const there = here.get(key) ?? { watches: 0 };
    here.set(key, there);
    there.watches += 1;
    leaving.delete(key);
    const since = clock.now().getTime();
    const told = peopleOf(tenant).change(topic, (people) => people.join(who, since));
    let hasLeft = false;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      there.watches -= 1;
      if (there.watches > 0 || closed) return;
      leaving.add(key, () => {
        here.delete(key);
        typing.flush(key);
        void peopleOf(tenant).change(topic, (people) => people.leave(who));
      });
    };
    return { told, leave };
  }

  /** The caller is not seen. The engine is called all the same, so that it forgets processes that were killed. */
  function look(tenant: string): Entered {
    return { told: Promise.resolve(), leave: peopleOf(tenant).look() };
  }

  function beginTyping(tenant: string, topic: PresenceTopic, who: Who): void {
    const people = peopleOf(tenant);
    void people.change(topic, (at) => at.setTyping(who, "type"));
    typing.add(keyOf(tenant, topic, who), () => {
      void people.change(topic, (at) => at.setTyping(who, "end"));
    });
    if (typing.size > MAX_TYPING && typing.first !== undefined) typing.flush(typing.first);
  }

  return {
    async watch(principal, of, { device, visible = true, signal } = {}) {
      const topic = topicOf(of);
      const [tenant, view] = [principal.tenantId, viewOf(principal, topic)];
      const source =
        view === "own"
          ? createOwnSource(tenant, principal.userId, clock.now())
          : createPresenceSource(engine.presence, {
              tenant,
              topic,
              named: view === "names",
              now: () => clock.now(),
            });
      const who = whoIs(principal, device);
      const wrap = (pipe: Pipe<Presence>) =>
        pipeWithWatcher(pipe, {
          enter: () => (visible ? join(tenant, topic, who) : look(tenant)),
          whenRefused: (end) => rights.watch(principal, of, end),
        });
      return streams.about(principal, of, source, { signal, wrap });
    },
    async setTyping(principal, jobId, isTyping, device) {
      const job = await engine.getSummary(jobId);
      if (job === undefined || !mayChange(principal, job)) {
        throw new AppError("NOT_FOUND", `Job ${jobId} does not exist.`);
      }
      if (closed) return;
      const [tenant, topic, who] = [job.tenant, topicOf({ jobId }), whoIs(principal, device)];
      if (isTyping) return beginTyping(tenant, topic, who);
      typing.delete(keyOf(tenant, topic, who));
      void peopleOf(tenant).change(topic, (people) => people.setTyping(who, "stop"));
    },
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(beats);
      leaving.clear();
      typing.clear();
      rights.close();
      // Where that fails, they are gone as after a crash.
      await Promise.allSettled([...tenants.values()].map((people) => people.end(GRACE_MS)));
    },
  };
}

/** A user id may hold any text, so it comes last; a topic holds the id of a job or batch that exists. */
function keyOf(tenant: string, topic: PresenceTopic, who: Who): string {
  return `${tenant.length}:${tenant}${topic} ${who}`;
}
