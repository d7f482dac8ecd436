import { expect, onTestFinished, test, vi } from "vitest";
import { DONE, eventually } from "#test/jobs/jobs.fixture.ts";
import { msgpackEncoder } from "#test/transports/msgpack-encoder.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";
import { createJobwireClient } from "./client.ts";

test.each([undefined, () => "token"])(
  "[F1] a client with an encoder follows jobs in MessagePack, from its first message on (token: %s)",
  async (getToken) => {
    const { url, fixture, restart } = await openTestServer();
    const decode = vi.fn<typeof msgpackEncoder.decode>((data) => msgpackEncoder.decode(data));
    const client = createJobwireClient({ url, getToken, encoder: { ...msgpackEncoder, decode } });
    onTestFinished(() => client.close());
    fixture.run = async () => DONE;
    const job = client.job(await fixture.create());
    const seen: Promise<number[]> = (async () => {
      const seqs: number[] = [];
      for await (const { seq } of job.events({ lastEventId: "0" })) seqs.push(seq);
      return seqs;
    })();
    await eventually(() => expect(decode).toHaveBeenCalled());
    // Tells the client to reconnect.
    await restart();
    fixture.startRunner();
    expect(await seen).toEqual([1, 2, 3]);
    expect(decode.mock.calls.every(([data]) => data instanceof ArrayBuffer)).toBe(true);
  },
);
