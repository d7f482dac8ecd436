/** Bodies and messages in tiny pieces cost a small multiple of their bytes, and too long ones are refused. */
import { type Attack, type Input, MIB, type Target } from "./attack.ts";
import { ask, flood, openLine, PATIENCE_MS, postJson, settles } from "./requests.ts";
import {
  frame,
  OPCODE,
  openSession,
  openSocket,
  openSocketio,
  type RawSocket,
  SOCKETIO,
  text,
  TRPC,
} from "./raw-socket.ts";

/** A body in one-byte chunks takes six times its bytes on the wire. */
const LARGE_WIRE = 48 * MIB;
const SMALL_WIRE = 6 * MIB;
const TRPC_BODY = 16 * MIB;
const SOCKETIO_BODY = 1.5 * MIB;
const SHORT_MS = 500;
const STATUS = /^HTTP\/1\.1 (\d+)/;

const chunk = (content: string) => Buffer.from(`${content.length.toString(16)}\r\n${content}\r\n`);
const LAST_CHUNK = "0\r\n\r\n";

const headOf = ({ host }: Target, path: string, header: string) =>
  `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${header}\r\n\r\n`;

/** Sends a head and pieces, then waits for the response, which an unfinished body never gets. */
async function post(
  target: Target,
  request: { path: string; header: string; piece: Buffer; bytes: number; end?: string },
) {
  const { socket, heard, gone } = await openLine(target);
  const { path, header, piece, bytes, end } = request;
  const answered = new Promise<void>((resolve) => {
    socket.on("data", () => {
      if (STATUS.test(heard())) resolve();
    });
  });
  socket.write(headOf(target, path, header));
  if (end === undefined) {
    await flood(socket, piece, bytes);
    if (!socket.writable) await settles(gone, SHORT_MS);
  } else {
    await flood(socket, piece, bytes, PATIENCE_MS);
    socket.write(end);
    await settles(Promise.race([answered, gone]));
  }
  const status = STATUS.exec(heard())?.[1];
  const outcome = { status: status === undefined ? undefined : Number(status), text: heard() };
  socket.destroy();
  return outcome;
}

const CHUNKED = "Transfer-Encoding: chunked";
const one = chunk("x");

function unfinished(what: string, path: string, bytes: number): Input {
  return {
    what,
    gets: {},
    send: (target) => post(target, { path, header: CHUNKED, piece: one, bytes }),
  };
}

async function pollPath(target: Target): Promise<string> {
  const session = await openSession(target);
  await session.post("40");
  return session.pollPath;
}

const chunked: Attack = {
  name: "bodies in chunks of one byte, unfinished",
  over: "HTTP",
  atOnce: true,
  inputs: [
    unfinished("a mutation", "/trpc/job.create", LARGE_WIRE),
    unfinished("a batch", "/trpc/job.create,job.create?batch=1", SMALL_WIRE),
    unfinished("no procedure", "/trpc/no.such", SMALL_WIRE),
    unfinished("a path that takes no body", "/healthz", SMALL_WIRE),
  ],
};

/** The server may read a little of each body before it applies backpressure, so the number of senders counts. */
const SENDERS = 30;

const chunkedByMany: Attack = {
  name: `bodies in chunks of one byte from ${SENDERS} at once`,
  over: "HTTP",
  atOnce: true,
  inputs: Array.from({ length: SENDERS }, (_, n) =>
    unfinished(`sender ${n + 1}`, "/trpc/job.create", SMALL_WIRE),
  ),
};

const chunkedPolling: Attack = {
  name: "bodies in chunks of one byte, unfinished",
  over: "Socket.IO polling",
  inputs: [
    {
      what: "packets",
      gets: {},
      send: async (target) =>
        post(target, {
          path: await pollPath(target),
          header: CHUNKED,
          piece: one,
          bytes: SMALL_WIRE,
        }),
    },
    {
      what: "without a session",
      gets: {},
      send: (target) =>
        post(target, {
          path: "/socket.io/?EIO=4&transport=polling",
          header: CHUNKED,
          piece: one,
          bytes: SMALL_WIRE,
        }),
    },
  ],
};

const KIB_CHUNK = chunk("x".repeat(1024));

const oversize: Attack = {
  name: "bodies over the limit",
  over: "HTTP",
  inputs: [
    {
      what: "whole",
      gets: { status: [413], says: [/PAYLOAD_TOO_LARGE/] },
      send: (target) => postJson(target, "/trpc/job.create", `"${"x".repeat(TRPC_BODY)}"`),
    },
    {
      what: "in chunks",
      gets: { status: [413] },
      send: (target) =>
        post(target, {
          path: "/trpc/job.create",
          header: CHUNKED,
          piece: KIB_CHUNK,
          bytes: TRPC_BODY + MIB,
          end: LAST_CHUNK,
        }),
    },
    {
      what: "announced but never sent",
      gets: {},
      send: (target) =>
        post(target, {
          path: "/trpc/job.create",
          header: "Content-Length: 99999999999",
          piece: Buffer.from("x"),
          bytes: 1,
        }),
    },
    {
      what: "packets for Socket.IO",
      gets: { status: [413] },
      send: async (target) =>
        ask(target, await pollPath(target), {
          method: "POST",
          body: "4".repeat(SOCKETIO_BODY + 1),
        }),
    },
  ],
};

/** Valid requests in unusual pieces. */
const inPieces: Attack = {
  name: "good bodies in tiny pieces",
  over: "HTTP",
  inputs: [
    {
      what: "in chunks of one byte",
      gets: { status: [404], says: [/no such kind/] },
      async send(target) {
        const { socket, heard, gone } = await openLine(target);
        socket.write(headOf(target, "/trpc/job.create", `${CHUNKED}\r\nConnection: close`));
        for (const each of jobOf("x".repeat(10_000))) socket.write(chunk(each));
        socket.write(LAST_CHUNK);
        await settles(gone);
        return { status: Number(heard().slice(9, 12)), text: heard() };
      },
    },
    {
      what: "in segments of one byte",
      gets: { status: [404], says: [/no such kind/] },
      async send(target) {
        const { socket, heard, gone } = await openLine(target);
        const body = jobOf("x".repeat(2000));
        const header = `Content-Length: ${body.length}\r\nConnection: close`;
        for (const each of headOf(target, "/trpc/job.create", header) + body) {
          await new Promise((resolve) => socket.write(each, resolve));
        }
        await settles(gone);
        return { status: Number(heard().slice(9, 12)), text: heard() };
      },
    },
  ],
};

const jobOf = (note: string) => `{"json":{"kind":"no such kind","input":"${note}"}}`;

/** One-byte fragments; `end`: the message is finished. */
function fragments(
  what: string,
  open: (target: Target) => Promise<RawSocket>,
  bytes: number,
): Input {
  return {
    what,
    gets: {},
    async send(target) {
      const raw = await open(target);
      raw.write(frame(OPCODE.text, "[", { fin: false }));
      await flood(raw.socket, frame(OPCODE.continuation, " ", { fin: false }), bytes);
      if (raw.socket.writable) raw.write(frame(OPCODE.continuation, "]"));
      return raw.untilClosed(SHORT_MS);
    },
  };
}

/** A frame with a large announced length, sent in one-byte segments. */
function slowFrame(what: string, path: string, length: number): Input {
  const SEGMENTS = 10_000;
  return {
    what,
    gets: { closed: false },
    async send(target) {
      const raw = await openSocket(target, path);
      raw.socket.setNoDelay();
      raw.write(frame(OPCODE.text, "", { length }));
      for (let sent = 0; sent < SEGMENTS && raw.socket.writable; sent += 1) {
        await new Promise((resolve) => raw.socket.write("4", resolve));
      }
      return raw.leave();
    },
  };
}

const trpc: Attack = {
  name: "messages in fragments of one byte",
  over: "tRPC WebSocket",
  inputs: [
    fragments("a message", (target) => openSocket(target, TRPC), LARGE_WIRE),
    fragments(
      "connection parameters",
      (target) => openSocket(target, `${TRPC}?connectionParams=1`),
      SMALL_WIRE,
    ),
    slowFrame("a frame in segments of one byte", TRPC, TRPC_BODY),
    {
      what: "a good message in fragments",
      gets: { says: [/"id":1,"result"/], closed: false },
      async send(target) {
        const raw = await openSocket(target, TRPC);
        const message = '{"id":1,"method":"query","params":{"path":"system.info","input":{}}}';
        raw.write(frame(OPCODE.text, "", { fin: false }));
        for (const each of message) {
          raw.write(frame(OPCODE.continuation, each, { fin: false }));
          raw.write(frame(OPCODE.ping));
        }
        raw.write(frame(OPCODE.continuation));
        await raw.hears(/^\{"id":1,/);
        return raw.leave();
      },
    },
  ],
};

const socketio: Attack = {
  name: "messages in fragments of one byte",
  over: "Socket.IO WebSocket",
  inputs: [
    fragments("before CONNECT", (target) => openSocket(target, SOCKETIO), SMALL_WIRE),
    fragments("after CONNECT", openSocketio, SMALL_WIRE),
    slowFrame("a frame in segments of one byte", SOCKETIO, MIB),
    {
      what: "placeholders of binary attachments that are never sent",
      gets: { closed: true },
      async send(target) {
        const raw = await openSocketio(target);
        raw.write(text('451000000-["subscribe:job",{"_placeholder":true,"num":0}]'));
        const part = frame(OPCODE.binary, Buffer.alloc(1));
        await flood(raw.socket, part, SMALL_WIRE);
        return raw.untilClosed();
      },
    },
  ],
};

export const BODY_ATTACKS: readonly Attack[] = [
  chunked,
  chunkedByMany,
  chunkedPolling,
  oversize,
  inPieces,
  trpc,
  socketio,
];
