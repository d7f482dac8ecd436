/**
 * Clients that send requests and never read the responses: pongs, probes, acknowledgements, errors. The server stops
 * reading from them once its buffers are full, and closes them after the stall time-out.
 */
import { timesOf } from "#test/long-run.ts";
import {
  type Attack,
  type Expected,
  type Input,
  MIB,
  type Target,
  type Transport,
} from "./attack.ts";
import { flood, openLine } from "./requests.ts";
import {
  CLOSING_MS,
  frame,
  OPCODE,
  openSession,
  openSocket,
  openSocketio,
  type RawSocket,
  readNothing,
  SOCKETIO,
  SOCKETIO_2,
  text,
  TRPC,
} from "./raw-socket.ts";

/**
 * Bytes that each client sends, unless the server stops to read: so many that the answers fill every buffer on the way,
 * also those to empty pings, which are a third as long and lie close together where the server is busy.
 */
const FLOOD = 256 * MIB;
const CLOSED: Expected = { closed: true };
const SOME_ID = "0198f1a2-0000-7000-8000-000000000000";

function unread(
  what: string,
  open: (target: Target) => Promise<RawSocket>,
  piece: Buffer,
  gets: Expected = CLOSED,
): Input {
  return {
    what,
    gets,
    async send(target) {
      const raw = await open(target);
      raw.pause();
      // A server that is busy with other clients has not closed this one.
      await flood(raw.socket, piece, FLOOD, CLOSING_MS);
      return readNothing(raw);
    },
  };
}

/**
 * For what another input resembles, and for answers of few bytes, as to empty pings and PING: they fill the buffers so slowly
 * that they take half of the time of all attacks.
 */
const inLongRun = (input: Input): Input[] => Array<Input>(timesOf(0, 1)).fill(input);

const ping = (size: number) => frame(OPCODE.ping, Buffer.alloc(size, "p"));
const call = (method: string, path: string) =>
  text(`{"id":1,"method":"${method}","params":{"path":"${path}","input":{}}}`);
const event = (start: string, name: string, payload: unknown) =>
  text(`42${start}${JSON.stringify([name, payload])}`);

const at = (path: string) => (target: Target) => openSocket(target, path);

/** Begins to upgrade a polling session and never finishes. */
async function openUpgrading(target: Target): Promise<RawSocket> {
  const { upgradePath } = await openSession(target);
  return openSocket(target, upgradePath);
}

/** A client that polled and upgraded to WebSocket, as stock clients do. */
async function openUpgraded(target: Target): Promise<RawSocket> {
  const session = await openSession(target);
  await session.post("40");
  const raw = await openSocket(target, session.upgradePath);
  raw.write(text("2probe"));
  await raw.hears(/^3probe/);
  const polled = session.poll();
  raw.write(text("5"));
  await polled;
  return raw;
}

const socketAttack = (name: string, over: Transport, inputs: Input[]): Attack => ({
  name,
  over,
  inputs,
  atOnce: true,
});

const trpc = socketAttack("sends requests and reads nothing", "tRPC WebSocket", [
  unread("pings of 125 bytes", at(TRPC), ping(125)),
  ...inLongRun(unread("empty pings", at(TRPC), ping(0))),
  ...inLongRun(unread("PING as a text", at(TRPC), text("PING"))),
  unread("queries", at(TRPC), call("query", "system.info")),
  ...inLongRun(unread("lists", at(TRPC), call("query", "kind.list"))),
  ...inLongRun(unread("calls of an unknown procedure", at(TRPC), call("query", "no.such"))),
  unread("subscriptions of one id", at(TRPC), call("subscription", "system.onState")),
  ...inLongRun(unread("texts that are not JSON", at(TRPC), text("{"))),
  unread("binary messages", at(TRPC), frame(OPCODE.binary, "x")),
  unread("pings before its parameters", at(`${TRPC}?connectionParams=1`), ping(125)),
  ...inLongRun(
    unread("PING before its parameters", at(`${TRPC}?connectionParams=1`), text("PING")),
  ),
]);

const socketio = socketAttack("sends requests and reads nothing", "Socket.IO WebSocket", [
  unread("pings of 125 bytes before CONNECT", at(SOCKETIO), ping(125)),
  ...inLongRun(unread("empty pings before CONNECT", at(SOCKETIO), ping(0))),
  ...inLongRun(unread("pings of 125 bytes after CONNECT", openSocketio, ping(125))),
  ...inLongRun(unread("empty pings after CONNECT", openSocketio, ping(0))),
  unread("pings after an upgrade", openUpgraded, ping(125)),
  ...inLongRun(unread("pings on a socket that upgrades", openUpgrading, ping(125))),
  unread("probes on a socket that upgrades", openUpgrading, text("2probe")),
  unread("acknowledgements", openSocketio, event("1", "unsubscribe:job", { job_id: SOME_ID })),
  unread("errors of subscriptions", openSocketio, event("", "subscribe:job", {})),
  ...inLongRun(
    unread(
      "subscriptions to missing jobs",
      openSocketio,
      event("", "subscribe:job", { job_id: SOME_ID }),
    ),
  ),
  ...inLongRun(unread("unknown events", openSocketio, event("7", "no:such", null))),
  unread("CONNECT to an unknown namespace", openSocketio, text("40/none,")),
  ...inLongRun(unread("pings of version 2", at(SOCKETIO_2), text("2"))),
]);

const POSTS = 400;
const PACKETS = 500;

/** Posts until the session is gone. */
function unpolled(what: string, packet: string, eio: 3 | 4 = 4): Input {
  return {
    what,
    gets: { status: [400], atMostBytes: MIB },
    async send(target) {
      const session = await openSession(target, eio);
      if (eio === 4) await session.post("40");
      const one = eio === 4 ? packet : `${packet.length}:${packet}`;
      const body = Array<string>(PACKETS)
        .fill(one)
        .join(eio === 4 ? "\u001e" : "");
      for (let post = 1; ; post += 1) {
        const outcome = await session.post(body);
        if (outcome.status !== 200 || post === POSTS) return outcome;
      }
    },
  };
}

const polling: Attack = {
  name: "posts and never polls",
  over: "Socket.IO polling",
  inputs: [
    unpolled("acknowledgements", `421["unsubscribe:job",{"job_id":"${SOME_ID}"}]`),
    unpolled("errors of subscriptions", '42["subscribe:job",{}]'),
    unpolled("CONNECT to an unknown namespace", "40/none,"),
    unpolled("pings of version 2", "2", 3),
  ],
};

/** One connection that pipelines HTTP requests without reading the responses. */
const pipelined: Attack = {
  name: "pipelined requests whose responses are not read",
  over: "HTTP",
  atOnce: true,
  inputs: [
    "/healthz",
    "/trpc/kind.list",
    "/trpc/no.such",
    "/socket.io/?EIO=4&transport=polling",
  ].map((path): Input => ({
    what: path,
    gets: {},
    async send({ host, port }) {
      const { socket } = await openLine({ host, port });
      socket.pause();
      await flood(socket, Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`), 4 * MIB);
      socket.destroy();
      return { text: "" };
    },
  })),
};

export const UNREAD_ATTACKS: readonly Attack[] = [trpc, socketio, polling, pipelined];
