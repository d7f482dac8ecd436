import { encode } from "@msgpack/msgpack";
import { io } from "socket.io-client";
import * as msgpackParser from "socket.io-msgpack-parser";
import { onTestFinished } from "vitest";
import type { LegacyJobPayload, LegacySubscriptionError } from "#shared/legacy.ts";
import { onRedis } from "#test/engine/data.fixture.ts";
import { createPair, trust } from "#test/tls/certificate.fixture.ts";
import { timesOf } from "#test/long-run.ts";
import { COMPRESSED, sendFrames } from "#test/transports/send-frames.ts";
import { openPolling } from "#test/transports/socketio-raw-client.ts";
import {
  type ShownState,
  transportSuite,
  type TransportUnderTest,
} from "#test/transports/transport.suite.ts";
import { createSocketioTransport } from "./transport.ts";

type Way = "websocket" | "polling";
type Hostile = TransportUnderTest["hostile"];

const frames =
  (...sent: (string | Buffer)[]) =>
  (url: string) =>
    sendFrames(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, sent);

const compressed = Object.fromEntries(
  Object.entries(COMPRESSED).map(([name, send]) => [
    name,
    (url: string) => send(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`),
  ]),
);

const overWebSocket: Hostile = {
  "no packet": frames("", "x", "\u0000"),
  "a binary frame": frames(Buffer.from([0xff, 0xfe])),
  "an event before it joins": frames('42["subscribe:job",{"job_id":"x"}]'),
  "an event that is not JSON": frames("40", "42{"),
  "an event without a name": frames("40", "42[]", "42[7]", "42[null]"),
  "an unknown event": frames("40", '42["no.such",{}]'),
  "a request without an id": frames("40", '42["subscribe:job"]', '42["subscribe:job",[[]]]'),
  ...compressed,
};

const packed = (packet: unknown) => Buffer.from(encode(packet, { maxDepth: 1000 }));
const JOIN = packed({ type: 0, nsp: "/" });
const event = (...data: unknown[]) => packed({ type: 2, nsp: "/", data });
const AT_MSGPACK = "/socket.io-msgpack/?EIO=4&transport=";
const packedFrames =
  (...sent: (string | Buffer)[]) =>
  (url: string) =>
    sendFrames(`${url.replace("http", "ws")}${AT_MSGPACK}websocket`, sent);

const inMsgpack: Hostile = {
  "a text packet": packedFrames(JOIN, '42["subscribe:job",{"job_id":"x"}]'),
  "no MessagePack": packedFrames(JOIN, Buffer.of(0xc1)),
  "nothing in a frame": packedFrames(Buffer.of()),
  "a list of four billion": packedFrames(JOIN, Buffer.of(0xdd, 0xff, 0xff, 0xff, 0xff)),
  "a text of four billion": packedFrames(JOIN, Buffer.of(0xdb, 0xff, 0xff, 0xff, 0xff)),
  "deep nesting": packedFrames(JOIN, Buffer.alloc(1_000_000, 0x91)),
  "no packet": packedFrames(packed(7), packed([]), packed({ type: "0" })),
  "an event before it joins": packedFrames(event("subscribe:job", { job_id: "x" })),
  "an event without a name": packedFrames(JOIN, event()),
  "a name that is no text": packedFrames(JOIN, event({})),
  "an event named error": packedFrames(JOIN, event("error", {})),
  ...Object.fromEntries(
    ["disconnect", "disconnecting", "connect", "connect_error", "newListener"].map((name) => [
      `the reserved name ${name}`,
      packedFrames(JOIN, event(name, "client namespace disconnect")),
    ]),
  ),
  "a CONNECT_ERROR": packedFrames(JOIN, packed({ type: 4, nsp: "/", data: "x" })),
  "a disconnect with data": packedFrames(JOIN, packed({ type: 1, nsp: "/", data: 1 })),
  "an id that is no number": packedFrames(
    JOIN,
    packed({ type: 2, nsp: "/", data: ["subscribe:job", {}], id: {} }),
  ),
  "an answer that was not asked for": packedFrames(
    JOIN,
    packed({ type: 3, nsp: "/", data: [], id: 1 }),
  ),
  "an id of bytes": packedFrames(JOIN, event("subscribe:job", { job_id: Buffer.from("x") })),
  "many joins": packedFrames(...Array.from({ length: 20 }, () => JOIN)),
  "another namespace": packedFrames(packed({ type: 0, nsp: "/admin" }), JOIN),
};

const inMsgpackByPost: Hostile = Object.fromEntries(
  [packed(7), Buffer.of(0xdd, 0xff, 0xff, 0xff, 0xff), event("subscribe:job"), Buffer.of()].map(
    (packet, n) => [
      `hostile packet ${n}`,
      async (url: string) => {
        const address = `${url}${AT_MSGPACK}polling`;
        const { sid } = JSON.parse((await (await fetch(address)).text()).slice(1)) as {
          sid: string;
        };
        const body = `b${packet.toString("base64")}`;
        await (await fetch(`${address}&sid=${sid}`, { method: "POST", body })).text();
      },
    ],
  ),
);

const post =
  (...packets: string[]) =>
  async (url: string) => {
    const client = await openPolling(url);
    await (await client.post(...packets)).text();
  };

const overPolling: Hostile = {
  "no packet": post("x"),
  "an event before it joins": post('42["subscribe:job",{"job_id":"x"}]'),
  "an event that is not JSON": post("40", "42{"),
  "an event without a name": post("40", "42[]"),
  "an unknown session": async (url) =>
    (await fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=no`)).text(),
};

/** The state of a failed job as its log has it. */
const stateOf = ({ status, progress, message }: LegacyJobPayload): ShownState => ({
  status,
  progress,
  message: status === "ABORTED" ? message.replace("Error: ", "") : message,
});

const subject = (way: Way, hostile: Hostile, isMsgpack = false): TransportUnderTest => ({
  name: `Socket.IO over ${way}${isMsgpack ? " in MessagePack" : ""}`,
  create: (context) => createSocketioTransport(context, { allowEio3: false }),
  capabilities: { cursor: false, multiplexed: true, renewsToken: true, cuts: 5 },
  openClient({ url, token }) {
    const socket = io(url, {
      forceNew: true,
      transports: [way],
      ...(isMsgpack && { path: "/socket.io-msgpack", parser: msgpackParser }),
      reconnectionDelay: 10,
      reconnectionDelayMax: 50,
      auth(give) {
        give(token === undefined ? {} : { token: typeof token === "string" ? token : token() });
      },
    });
    onTestFinished(() => void socket.disconnect());
    return {
      watchJob(job_id) {
        const shown: ShownState[] = [];
        const errors: string[] = [];
        socket.on("job:update", (update: LegacyJobPayload) => {
          if (update.job_id === job_id) shown.push(stateOf(update));
        });
        socket.on("subscription:error", (error: LegacySubscriptionError) => {
          if (error.job_id === job_id) errors.push(error.code);
        });
        socket.emit("subscribe:job", { job_id });
        return {
          shown: () => shown,
          errors: () => errors,
          stop: () => void socket.emit("unsubscribe:job", { job_id }),
        };
      },
    };
  },
  hostile,
});

transportSuite(subject("websocket", overWebSocket));
transportSuite(subject("polling", overPolling));

// The encoding and TLS are the same with either engine.
if (!onRedis) {
  transportSuite(subject("websocket", inMsgpack, true));
  // Below polling lie the same parser and the same sessions.
  if (timesOf(0, 1) > 0) transportSuite(subject("polling", inMsgpackByPost, true));
  const tls = await createPair();
  trust(tls);
  // Without compression, which the suite above has.
  transportSuite({
    ...subject("websocket", overWebSocket),
    name: "Socket.IO over wss, uncompressed",
    tls,
    compression: false,
  });
  // Below polling lies the same server as below the WebSocket.
  if (timesOf(0, 1) > 0) {
    transportSuite({
      ...subject("polling", overPolling),
      name: "Socket.IO over https polling",
      tls,
    });
  }
}
