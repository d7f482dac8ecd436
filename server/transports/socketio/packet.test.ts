import { expect, test } from "vitest";
import type { LegacyJobPayload } from "#shared/legacy.ts";
import { readMsgpack } from "#server/transports/requests/read-msgpack.ts";
import { msgpackPacketOf } from "./msgpack-parser.ts";
import { createEncoder, jsonPacketOf } from "./packet.ts";

test("an event is serialised once for all its watchers", () => {
  let made = 0;
  const { packetsOf, framesOf } = createEncoder(jsonPacketOf, (value: LegacyJobPayload) => {
    made += 1;
    return [{ name: "job:update", payload: value }];
  });
  const event: LegacyJobPayload = {
    job_id: "1",
    status: "PENDING",
    progress: 0,
    message: "",
    timestamp: "2026-01-01T00:00:00.000Z",
  };
  expect(packetsOf(event)).toBe(packetsOf(event));
  expect(packetsOf({ ...event })).toEqual(packetsOf(event));
  expect(made).toBe(2);
  const entries = [
    { pos: 1, value: event },
    { pos: 2, value: event },
  ];
  const frames = framesOf(entries);
  expect(framesOf(entries)).toBe(frames);
  expect(frames.map(({ count }) => count)).toEqual([2]);
  expect(frames[0]?.bytes.toString().match(/42\["job:update"/g)).toHaveLength(2);
  expect(made).toBe(2);
});

test("a packet in MessagePack is the whole message of its frame", () => {
  const payload = { job_id: "1" } as LegacyJobPayload;
  const { data, options } = msgpackPacketOf({ name: "job:update", payload });
  const bytes = Buffer.from(data);
  expect(readMsgpack(bytes).value).toEqual({ type: 2, nsp: "/", data: ["job:update", payload] });
  expect(options.wsPreEncodedFrame[0]).toEqual(Buffer.from([0x82, bytes.length, ...bytes]));
});
