import { io } from "socket.io-client";
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

const subject = (way: Way, hostile: Hostile): TransportUnderTest => ({
  name: `Socket.IO over ${way}`,
  create: (context) => createSocketioTransport(context, { allowEio3: false }),
  capabilities: { cursor: false, multiplexed: true, renewsToken: true, cuts: 5 },
  openClient({ url, token }) {
    const socket = io(url, {
      forceNew: true,
      transports: [way],
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

// TLS is the same with either engine.
if (!onRedis) {
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
