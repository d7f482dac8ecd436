/** JSON nested deeper than a parser or a recursive walk can handle. It is refused, or the connection is closed. */
import fc from "fast-check";
import type { Attack, Expected, Input } from "./attack.ts";
import { postJson } from "./requests.ts";
import { openSession, openSocket, openSocketio, text, TRPC } from "./raw-socket.ts";

const LEVELS = 1_000_000;
const SEED = 5;

const deep = (open: string, close: string, levels = LEVELS) =>
  open.repeat(levels) + close.repeat(levels);
const REFUSED: Expected = { status: [400, 413], saysNot: /INTERNAL/ };

/** Places for nesting in a text that the server parses. */
const nestings: readonly [what: string, body: string][] = [
  ["lists", deep("[", "]")],
  ["lists that do not end", "[".repeat(LEVELS)],
  ["objects", deep('{"a":', "}").replace("}", "1}")],
  ["an input", `{"json":${deep("[", "]")}}`],
  ["an input of a job", `{"json":{"kind":"driven","input":${deep("[", "]")}}}`],
  ["an article", `{"json":{"kind":"article","input":{"targetUrl":${deep("[", "]")}}}}`],
  ["annotations", `{"json":{},"meta":{"values":${deep("[", "]")}}}`],
  ["equalities", `{"json":{},"meta":{"referentialEqualities":${deep("[", "]")}}}`],
];

const nestedBodies: Attack = {
  name: "a million levels of JSON",
  over: "HTTP",
  peakMib: 300,
  inputs: nestings.flatMap(([what, body]): Input[] => [
    { what, gets: REFUSED, send: (target) => postJson(target, "/trpc/job.create", body) },
    {
      what: `${what} in a batch`,
      gets: REFUSED,
      send: (target) => postJson(target, "/trpc/job.create?batch=1", `{"0":${body}}`),
    },
  ]),
};

const nestedMessages: Attack = {
  name: "a million levels of JSON",
  over: "tRPC WebSocket",
  peakMib: 300,
  inputs: nestings.map(([what, body]): Input => ({
    what,
    gets: {
      says: [/BAD_REQUEST|PARSE_ERROR/, /"id":"last","result"/],
      saysNot: /INTERNAL/,
      closed: false,
    },
    async send(target) {
      const raw = await openSocket(target, TRPC);
      raw.write(
        text(`{"id":1,"method":"mutation","params":{"path":"job.create","input":${body}}}`),
        text('{"id":"last","method":"query","params":{"path":"system.info","input":{}}}'),
      );
      await raw.hears(/^\{"id":(1|null),/);
      await raw.hears(/^\{"id":"last"/);
      return raw.leave();
    },
  })),
};

/** Fits into Socket.IO's shorter messages. */
const SHORTER = 700_000;
const events = [
  `42["subscribe:job",${deep("[", "]", SHORTER)}]`,
  `42["subscribe:job",${'{"job_id":'.repeat(100_000)}1${"}".repeat(100_000)}]`,
  `42${"[".repeat(SHORTER)}`,
  `40${deep("[", "]", SHORTER)}`,
  `450-${deep("[", "]", SHORTER)}`,
];

const nestedEvents: Attack = {
  name: "a million levels of JSON",
  over: "Socket.IO WebSocket",
  peakMib: 300,
  inputs: events.map((packet): Input => ({
    what: packet.slice(0, 20),
    gets: { saysNot: /INTERNAL/ },
    async send(target) {
      const raw = await openSocketio(target);
      raw.texts.length = 0;
      raw.write(text(packet), text('42["subscribe:job",{}]'));
      await raw.hears(/subscription:error/);
      return raw.leave();
    },
  })),
};

const nestedPackets: Attack = {
  name: "a million levels of JSON",
  over: "Socket.IO polling",
  peakMib: 300,
  inputs: events.map((packet): Input => ({
    what: packet.slice(0, 20),
    gets: { status: [200, 400] },
    async send(target) {
      const session = await openSession(target);
      await session.post("40");
      await session.post(packet);
      return session.poll();
    },
  })),
};

/** Levels around the sizes above, and around the limits of parsers. */
const generated = fc
  .sample(
    fc.record({
      levels: fc.integer({ min: 1, max: 20_000 }),
      brackets: fc.constantFrom(
        ["[", "]"] as const,
        ['{"a":', "}"] as const,
        ['[{"json":', "}]"] as const,
        ['[[],{"meta":', "}]"] as const,
      ),
      core: fc.constantFrom("1", "null", '"x"', "[]"),
    }),
    { seed: SEED, numRuns: 20 },
  )
  .map(({ levels, brackets: [open, close], core }): Input => ({
    what: `${levels} times ${open}`,
    gets: { status: [400, 404], saysNot: /INTERNAL/ },
    send: (target) =>
      postJson(
        target,
        "/trpc/job.create",
        `{"json":{"kind":"none","input":${open.repeat(levels)}${core}${close.repeat(levels)}}}`,
      ),
  }));

const someLevels: Attack = {
  name: "levels of JSON, generated",
  over: "HTTP",
  inputs: generated,
};

export const NESTING_ATTACKS: readonly Attack[] = [
  nestedBodies,
  nestedMessages,
  nestedEvents,
  nestedPackets,
  someLevels,
];
