import { expect, test } from "vitest";
import type { Stream } from "#server/streams/open.ts";
import { newSent } from "#server/transports/usage.ts";
import { MAX_SUBSCRIPTIONS } from "#server/transports/limits/subscription-limit.ts";
import type { JobEvent } from "#shared/events.ts";
import { legacyOfJob } from "#shared/legacy.ts";
import { createEncoder, jsonPacketOf } from "./packet.ts";
import { Subscriptions } from "./subscriptions.ts";

/** A stream whose only state is a delivered job. */
function delivered(jobId: string): Stream<JobEvent> {
  const value: JobEvent = {
    jobId,
    seq: 7,
    at: new Date(0),
    attempt: 1,
    type: "delivered",
    status: "DELIVERED",
    progress: 100,
    message: "done",
  };
  return {
    [Symbol.asyncIterator]: () => expect.unreachable(),
    pipe(sink) {
      sink.push([{ pos: 7, value }]);
      return { resume() {}, stop() {} };
    },
  };
}

const LISTENER = {
  async opened() {},
  started() {},
  ended() {},
  failed() {},
  isComingBack: () => false,
  count: () => undefined,
};

test("[L2] the ends that one connection remembers are bounded; the oldest is forgotten", async () => {
  const sent: string[] = [];
  const subscriptions = new Subscriptions(
    {
      compression: undefined,
      isFull: () => false,
      write: () => false,
      sent: newSent(),
      send: (packets) => void sent.push(...packets.map(({ data }) => String(data))),
    },
    LISTENER,
  );
  const encoder = createEncoder(jsonPacketOf, legacyOfJob, ({ seq }) => seq);
  /** The names of the sent events. */
  async function watch(jobId: string): Promise<string[]> {
    sent.length = 0;
    const open = () => Promise.resolve(delivered(jobId));
    await subscriptions.add(jobId, { open, encoder });
    subscriptions.remove(jobId);
    return sent.map((text) => (JSON.parse(text.slice(1)) as [string])[0]);
  }
  const WHOLE = ["job:completed", "job:update"];
  for (let n = 0; n <= MAX_SUBSCRIPTIONS; n += 1) expect(await watch(`job ${n}`)).toEqual(WHOLE);
  expect(await watch("job 1")).toEqual(["job:update"]);
  expect(await watch(`job ${MAX_SUBSCRIPTIONS}`)).toEqual(["job:update"]);
  expect(await watch("job 0")).toEqual(WHOLE);
  // It replaced the oldest end, which is not the one that was just sent again.
  expect(await watch("job 1")).toEqual(["job:update"]);
  expect(await watch("job 2")).toEqual(WHOLE);
});

test("[H5] at the bound a connection may ask again for a subscription it has, and for another once one ends", async () => {
  const subscriptions = new Subscriptions(
    {
      compression: undefined,
      isFull: () => false,
      write: () => true,
      send: () => undefined,
      sent: newSent(),
    },
    LISTENER,
  );
  const encoder = createEncoder(jsonPacketOf, legacyOfJob, ({ seq }) => seq);
  const add = (key: string) =>
    subscriptions.add(key, { open: () => Promise.resolve(delivered(key)), encoder });
  for (let n = 0; n < MAX_SUBSCRIPTIONS; n += 1) await add(`job ${n}`);
  await expect(add("another")).rejects.toMatchObject({
    code: "BAD_REQUEST",
    message:
      "This connection has 1000 subscriptions already. Unsubscribe from some, or open another.",
  });
  await add("job 0");
  expect(subscriptions.remove("job 0")).toBe(true);
  await add("another");
});
