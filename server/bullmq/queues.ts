/** BullMQ's queues as a source of jobs. */
import type { Redis } from "ioredis";
import { OPEN, type OpenableSource, type SourceContext } from "#server/sources/open.ts";
import type { Source } from "#server/sources/source.ts";
import { wholeMessageOf } from "#shared/errors.ts";
import { checkVersion, connect } from "./connect.ts";
import { createControl } from "./control.ts";
import { type BullmqOptions, type CheckedQueue, checkOptions } from "./options.ts";
import { queueKeys } from "./queue-keys.ts";
import { createQueueMirror, type QueueMirror } from "./queue-mirror.ts";

/** How long nothing but new events is looked for. */
const TEND_MS = 1000;
const RETRY_MS = 1000;
/** How long a process waits before it asks again for what another one mirrors. */
const TAKE_OVER_MS = 2000;

/**
 * Shows the jobs of BullMQ's queues as Jobwire's own, live, of the kinds `bullmq:<name>`. Nothing is written to BullMQ's keys. Throws
 * `KindError` for options that cannot be used. A Redis that cannot be reached is tried again, and logged.
 */
export function bullmqQueues(options: BullmqOptions): Source {
  const queues = checkOptions(options);
  const source: OpenableSource = {
    kinds: queues.map(({ kind }) => kind),
    controls: new Map(
      queues.flatMap(({ kind, control }) => (control ? [[kind, createControl(control)]] : [])),
    ),
    [OPEN](context) {
      const redis = connect(options.connection, "commands", () => undefined);
      const all = queues.map((queue) => {
        const waiting = connect(options.connection, "waiting", () => undefined);
        return openQueue(queue, { redis, waiting, context });
      });
      return {
        async close() {
          await Promise.all(all.map((close) => close()));
          redis.disconnect();
        },
      };
    },
  };
  return source;
}

interface QueueParts {
  redis: Redis;
  /** For nothing but waiting for events. */
  waiting: Redis;
  context: SourceContext;
}

/** Returns what ends it. */
function openQueue(
  { name: queue, kind, tenant, owner, prefix, history, control }: CheckedQueue,
  { redis, waiting, context }: QueueParts,
): () => Promise<void> {
  const { clock, log } = context;
  const keys = queueKeys(prefix, queue);
  const ended = Promise.withResolvers<void>();
  let isClosed = false;
  let isChecked = false;
  const mirror = createQueueMirror({
    ...context,
    redis,
    keys,
    mirror: { name: kind, tenant },
    owner: { tenant, owner },
    queue,
    isControlled: control !== undefined,
    history,
    isClosed: () => isClosed,
  });

  async function pause(ms: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const end = clock.after(ms, over.resolve);
    await Promise.race([over.promise, ended.promise]);
    end();
  }

  async function check(): Promise<void> {
    if (isChecked) return;
    await checkVersion(redis);
    if ((await redis.exists(keys.meta)) === 0) {
      log.warn(
        { queue, prefix },
        "BullMQ has no such queue yet. Check its name and prefix, unless it is about to be used for the first time",
      );
    }
    isChecked = true;
  }

  /** Until the lease is lost. */
  async function follow(begun: QueueMirror): Promise<void> {
    let tended = -Infinity;
    while (!isClosed) {
      const position = await begun.advance();
      if (position === undefined || isClosed) return;
      if (clock.steady() - tended >= TEND_MS) {
        await begun.tend();
        tended = clock.steady();
      }
      await waiting.xread("COUNT", 1, "BLOCK", TEND_MS, "STREAMS", keys.events, position);
    }
  }

  async function run(): Promise<void> {
    let isTroubled = false;
    while (!isClosed) {
      try {
        await check();
        if (await mirror.begin()) {
          if (isTroubled) log.info({ queue }, "A BullMQ queue is mirrored again");
          isTroubled = false;
          await follow(mirror);
        }
        if (!isClosed) await pause(TAKE_OVER_MS);
      } catch (error) {
        if (isClosed) break;
        const reason = wholeMessageOf(error);
        if (!isTroubled) log.warn({ queue, reason }, "A BullMQ queue cannot be mirrored right now");
        isTroubled = true;
        await pause(RETRY_MS);
      }
    }
    await mirror.end().catch(() => undefined);
  }

  const running = run();
  return async () => {
    isClosed = true;
    ended.resolve();
    // Ends its wait.
    waiting.disconnect();
    await running;
  };
}
