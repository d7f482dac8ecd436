/**
 * superjson annotations, by which a client chooses what the server builds from its input. Only `undefined` and `Date`
 * are applied; `v` and `referentialEqualities`, which stock clients send, have no effect.
 */
import fc from "fast-check";
import type { Attack, Expected, Input, Outcome, Target, Transport } from "./attack.ts";
import { ask, postJson } from "./requests.ts";
import { openSocket, text, TRPC } from "./raw-socket.ts";

const REFUSED = [400];
const ANSWERED = [200, 400];
/** Levels or branches of a large annotation tree. */
const DEEP = 100_000;
const SEED = 17;
const GENERATED = 20;

interface Sample {
  what: string;
  /** The superjson envelope, as JSON. */
  envelope: string;
  gets: Expected;
}

const quoted = (name: string) =>
  new RegExp(name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
const names = (annotation: string): Expected => ({
  status: REFUSED,
  says: [/BAD_REQUEST/, quoted(annotation)],
});
const annotated = (json: unknown, values: unknown) => JSON.stringify({ json, meta: { values } });

/** Annotations with the JSON values that they apply to. */
const ANNOTATIONS: readonly [annotation: unknown, name: string, json: unknown][] = [
  [["typed-array", "Uint8Array"], "typed-array", { length: 2_000_000_000 }],
  [["typed-array", "BigInt64Array"], "typed-array", { length: 2_000_000_000 }],
  [["typed-array", "constructor"], "typed-array", [1]],
  ["map", "map", [[1, 2]]],
  ["set", "set", [1]],
  ["bigint", "bigint", "9".repeat(4000)],
  ["regexp", "regexp", "/(a+)+$/"],
  ["Error", "Error", { name: "x", message: "y", stack: "z" }],
  ["URL", "URL", "http://localhost/"],
  [["symbol", "x"], "symbol", "x"],
  [["class", "Object"], "class", { a: 1 }],
  [["custom", "x"], "custom", 1],
  ["number", "number", "Infinity"],
  ["number", "number", "-0"],
  ["number", "number", "NaN"],
];

const refused: readonly Sample[] = [
  ...ANNOTATIONS.map(([annotation, name, json]) => ({
    what: `${JSON.stringify(annotation)} at the root`,
    envelope: annotated(json, [annotation]),
    gets: names(name),
  })),
  ...ANNOTATIONS.map(([annotation, name, json]) => ({
    what: `${JSON.stringify(annotation)} below`,
    envelope: annotated({ kind: "driven", input: { a: [json] } }, { "input.a.0": [annotation] }),
    gets: names(name),
  })),
  {
    what: "a map and its equalities",
    envelope: JSON.stringify({
      json: { kind: "driven", input: [[1, 2]] },
      meta: { values: { input: ["map"] }, referentialEqualities: { input: ["input.0", "kind"] } },
    }),
    gets: names("map"),
  },
  {
    what: "a set within a map within a tree",
    envelope: annotated({ a: { b: [[1, [2]]] } }, { a: [["map", { b: ["set"] }]] }),
    gets: { status: REFUSED, says: [/BAD_REQUEST/] },
  },
  {
    what: "a date with a set below it",
    envelope: annotated({ a: { b: [1] } }, { a: ["Date", { b: ["set"] }] }),
    gets: { status: REFUSED, says: [/BAD_REQUEST/] },
  },
];

const harmless: readonly Sample[] = [
  {
    what: "undefined",
    envelope: annotated({ status: null, limit: 1 }, { status: ["undefined"] }),
    gets: { status: [200] },
  },
  ...[0, 1, 2, -1, "1", null, [], {}, 1e300, { a: 1 }].map((v) => ({
    what: `v ${JSON.stringify(v)}`,
    envelope: JSON.stringify({ json: { limit: 1 }, meta: { v } }),
    gets: { status: [200] },
  })),
  ...[
    { limit: ["kind"] },
    [["limit", "status"]],
    [["limit"], { limit: ["__proto__.polluted"] }],
    { "constructor.prototype": ["limit"] },
    { "a.b.c.d": ["limit", "limit", "limit"] },
    5,
    null,
    "limit",
    [[[[[]]]]],
  ].map((referentialEqualities) => ({
    what: `equalities ${JSON.stringify(referentialEqualities)}`,
    envelope: JSON.stringify({ json: { limit: 1 }, meta: { referentialEqualities, v: 1 } }),
    gets: { status: [200] },
  })),
];

/** Inputs that may be refused or ignored, but must not break anything. */
const odd: readonly Sample[] = [
  null,
  5,
  "map",
  [],
  [[]],
  [null],
  { a: null },
  { a: [[]] },
  { a: [null] },
  { "": {} },
  { "__proto__.polluted": ["Date"] },
  { "constructor.prototype.polluted": ["Date"] },
  JSON.parse('{"__proto__":{"polluted":["Date"]}}') as unknown,
  { "limit.toString": ["Date"] },
  { "\\": ["Date"] },
  { "limit\\.x": ["undefined"] },
  ["Date"],
  ["undefined"],
].map((values) => ({
  what: `values ${JSON.stringify(values)}`,
  envelope: annotated({ limit: 1 }, values),
  gets: { status: ANSWERED, saysNot: /INTERNAL/ },
}));

const leaf = fc.constantFrom(...ANNOTATIONS.map(([annotation]) => annotation));
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf.map((annotation) => [annotation]),
    fc.dictionary(fc.constantFrom("limit", "status", "a.b", "0"), tie("tree"), {
      minKeys: 1,
      maxKeys: 3,
    }),
    fc.tuple(leaf, fc.dictionary(fc.constantFrom("a", "0"), tie("tree"), { minKeys: 1 })),
  ),
}));

/** Random trees around the annotations above, each with one that builds something. */
const generated: readonly Sample[] = fc
  .sample(tree, { seed: SEED, numRuns: GENERATED })
  .map((values) => ({
    what: `values ${JSON.stringify(values)}`,
    envelope: annotated({ limit: 1, status: [[1, 2]], a: { b: [1] } }, values),
    gets: { status: REFUSED, says: [/BAD_REQUEST/] },
  }));

const nested = (levels: number, core: string) =>
  `${'{"a":'.repeat(levels)}${core}${"}".repeat(levels)}`;
const wide = (count: number, annotation: string) =>
  `{${Array.from({ length: count }, (_, n) => `"input.${n}":${annotation}`).join(",")}}`;
const job = '{"kind":"driven","input":null}';

/** Too long for a URL. */
const large: readonly Sample[] = [
  {
    what: "a deep tree",
    envelope: `{"json":${job},"meta":{"values":${nested(DEEP, '["set"]')}}}`,
    gets: { status: REFUSED, says: [/BAD_REQUEST/] },
  },
  {
    what: "a deep list",
    envelope: `{"json":${job},"meta":{"values":${"[".repeat(DEEP)}${"]".repeat(DEEP)}}}`,
    gets: { status: ANSWERED, saysNot: /INTERNAL/ },
  },
  {
    what: "a wide tree",
    envelope: `{"json":${job},"meta":{"values":${wide(DEEP, '["set"]')}}}`,
    gets: { status: REFUSED, says: [/BAD_REQUEST/] },
  },
  {
    what: "a wide tree of dates for missing values",
    envelope: `{"json":${job},"meta":{"values":${wide(DEEP, '["Date"]')}}}`,
    gets: { status: ANSWERED, saysNot: /INTERNAL/ },
  },
  {
    what: "a map of 0.85 MiB with equalities",
    envelope: `{"json":{"kind":"driven","input":[${"[1,2],".repeat(75_000)}[1,2]]},"meta":{"values":{"input":["map"]},"referentialEqualities":{"input":[${'"input.0",'.repeat(40_000)}"kind"]}}}`,
    gets: { status: REFUSED, says: [/BAD_REQUEST/] },
  },
  {
    what: "a date as the input of a job",
    envelope: annotated(
      { kind: "no such kind", input: "2026-01-01T00:00:00.000Z" },
      { input: ["Date"] },
    ),
    gets: { status: [404, 400], says: [/no such kind/], saysNot: /annotation/i },
  },
];

interface Route {
  name: string;
  over: Transport;
  send(target: Target, envelope: string): Promise<Outcome>;
}

const inAddress = (envelope: string) => encodeURIComponent(envelope);

const IN_ADDRESS: readonly Route[] = [
  {
    name: "as a query's input",
    over: "HTTP",
    send: (target, envelope) => ask(target, `/trpc/job.list?input=${inAddress(envelope)}`),
  },
  {
    name: "as an input of a batch",
    over: "HTTP",
    send: (target, envelope) =>
      ask(
        target,
        `/trpc/job.list,job.list?batch=1&input=${inAddress(`{"0":${envelope},"1":${envelope}}`)}`,
      ),
  },
];

/** Streams, whose response to a valid input does not end. */
const STREAMED: Route = {
  name: "as a subscription's input",
  over: "SSE",
  send: (target, envelope) =>
    ask(target, `/trpc/feed.onUpdate?input=${inAddress(envelope)}`, {
      headers: { Accept: "text/event-stream" },
      until: /event: connected[^]*\n\n[^]*\n\n|BAD_REQUEST/,
    }),
};

const POSTED: readonly Route[] = [
  {
    name: "as a mutation's input",
    over: "HTTP",
    send: (target, envelope) => postJson(target, "/trpc/job.create", envelope),
  },
  {
    name: "as an input of a posted batch",
    over: "HTTP",
    send: (target, envelope) =>
      postJson(target, "/trpc/job.create,job.create?batch=1", `{"0":${envelope},"1":${envelope}}`),
  },
];

function overSocket(method: "query" | "mutation" | "subscription", path: string): Route {
  return {
    name: `as a ${method}'s input`,
    over: "tRPC WebSocket",
    async send(target, envelope) {
      const raw = await openSocket(target, TRPC);
      raw.write(
        text(`{"id":1,"method":"${method}","params":{"path":"${path}","input":${envelope}}}`),
        // The same socket still works.
        text('{"id":2,"method":"query","params":{"path":"system.info","input":{}}}'),
      );
      await raw.hears(/^\{"id":2,/);
      await raw.hears(/^\{"id":(1|null),/);
      const { text: all, closed } = raw.leave();
      const answer = all.split("\n").find((line) => !line.startsWith('{"id":2,')) ?? "";
      return { status: /^\{"id":(1|null),"error"/.test(answer) ? 400 : 200, text: answer, closed };
    },
  };
}

const attack = ({ name, over, send }: Route, samples: readonly Sample[]): Attack => ({
  name: `annotations ${name}`,
  over,
  inputs: samples.map(({ what, envelope, gets }): Input => ({
    what,
    gets,
    send: (target) => send(target, envelope),
  })),
});

const refusedOnly = [...refused, ...generated, ...odd];

/** Connection parameters are texts: annotations in them are invalid and build nothing. */
const connectionParams: Attack = {
  name: "annotations in connection parameters",
  over: "tRPC WebSocket",
  inputs: refused.slice(0, ANNOTATIONS.length).map(({ what, envelope }) => ({
    what,
    gets: { closed: true, saysNot: /INTERNAL/ },
    async send(target) {
      const raw = await openSocket(target, `${TRPC}?connectionParams=1`);
      raw.write(text(`{"method":"connectionParams","data":${envelope}}`));
      return raw.untilClosed();
    },
  })),
};

export const ANNOTATION_ATTACKS: readonly Attack[] = [
  ...IN_ADDRESS.map((route) => attack(route, [...refusedOnly, ...harmless])),
  // The response has started before the input is refused.
  attack(STREAMED, refused.concat(generated).map(inStream)),
  ...POSTED.map((route) => attack(route, [...refusedOnly, ...large])),
  attack(overSocket("query", "job.list"), [...refusedOnly, ...harmless]),
  attack(overSocket("mutation", "job.create"), [...refusedOnly, ...large]),
  attack(overSocket("subscription", "feed.onUpdate"), refused.concat(generated)),
  connectionParams,
];

function inStream({ gets, ...sample }: Sample): Sample {
  return { ...sample, gets: { ...gets, status: ANSWERED } };
}
