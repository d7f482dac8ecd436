import { EventSource } from "eventsource";
import { beforeEach, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { defineKind, delivered, blocked, type KindMapOf } from "#server/kinds/define.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";
import { createJobwireClient } from "./client.ts";
import { setTimeout as wait } from "node:timers/promises";
let run: any = async () => null;
const any_ = defineKind({ name: "odd", input: z.object({ a: z.string().default("x"), at: z.iso.datetime().pipe(z.coerce.date()).optional(), strip: z.string().optional() }), details: z.any(), output: z.any(), run: (c: any) => run(c) });
type App = ServerTypes<KindMapOf<[typeof any_]>>;
beforeEach(() => { vi.stubGlobal("EventSource", EventSource); });
test("attack", async () => {
  const server = await openTestServer({ kinds: [any_] });
  server.fixture.startRunner();
  const client = createJobwireClient<App>({ url: server.url });
  onTestFinished(() => client.close());
  const end = async (what: string, r: any, input: any = {}) => {
    run = r;
    try { const j = await client.kinds.odd.create(input); const res = await Promise.race([j.result(), wait(4000, "HANG")]); console.log(what, "=>", JSON.stringify(res)?.slice(0, 200)); }
    catch (e: any) { console.log(what, "=> !", e.name, e.code ?? e.data?.appCode, e.message.slice(0, 200)); }
  };
  await end("undefined", async () => undefined);
  await end("nothing sync", () => undefined);
  await end("throws string", async () => { throw "secret-string"; });
  await end("throws null", async () => { throw null; });
  await end("cause", async () => { throw new Error("outer", { cause: new Error("DB password=hunter2") }); });
  await end("code", async () => { throw Object.assign(new Error("ENOENT /srv/secret"), { code: "ENOENT" }); });
  await end("aggregate", async () => { throw new AggregateError([new Error("s1")], "agg"); });
  await end("abort error", async () => { throw new DOMException("This operation was aborted", "AbortError"); });
  await end("node abort", async () => { throw Object.assign(new Error("The operation was aborted"), { name: "AbortError", code: "ABORT_ERR" }); });
  await end("timeout", async () => { throw new DOMException("timed out", "TimeoutError"); });
  await end("zod error", async () => { z.string().parse(5); });
  await end("delivered undefined", async () => delivered(undefined as any, null));
  await end("proxy", async () => new Proxy({}, { ownKeys() { throw new Error("trap"); } }));
  await end("date", async () => ({ d: new Date(0), m: undefined }));
  await end("map", async () => new Map());
  await end("details date", async ({ progress }: any) => { await progress(5, "x", { d: new Date(0) }); return 1; });
  await end("progress NaN", async ({ progress }: any) => { await progress(NaN, "x"); return 1; });
  await end("progress 150", async ({ progress }: any) => { await progress(150, "x"); return 1; });
  await end("progress -1", async ({ progress }: any) => { await progress(-1, "x"); return 1; });
  await end("progress undefined msg", async ({ progress }: any) => { await progress(5); return 1; });
  await end("input mutates", async ({ input }: any) => { input.a = 5; return input; }, { a: "q" });
  await end("input date", async ({ input }: any) => input, { at: "2020-01-01T00:00:00Z", extra: 1 });
  await end("input bad", async ({ input }: any) => input, { a: 5 });
  for (const bad of [NaN, 1n, new Map(), undefined, () => 1, Symbol("x"), new Date(NaN)]) await end("input any " + String(bad), async ({ input }: any) => input, { a: bad });
  await end("input undefined", async ({ input }: any) => input, undefined);
  // many
  run = async () => 1;
  const inputs: any[] = Array.from({ length: 1000 }, () => ({})); inputs[777] = { a: 5 };
  console.log("many", await client.kinds.odd.createMany(inputs).catch((e) => `${e.data?.appCode} ${e.message.slice(0, 150)} ${JSON.stringify(e.data?.zodError)}`));
  console.log("empty many", await client.kinds.odd.createMany([]).catch((e) => `${e.data?.appCode} ${e.message.slice(0, 150)}`));
  console.log("obj many", await client.kinds.odd.createMany({} as any).catch?.((e: any) => `${e.data?.appCode} ${e.message.slice(0, 150)}`));
}, 120000);
test("many obj", async () => {
  const client = createJobwireClient<App>({ url: "http://127.0.0.1:9" });
  try { console.log("obj", await client.kinds.odd.createMany({} as any).catch((e: any) => e.message)); } catch (e) { console.log("sync throw", (e as Error).message); }
  try { const r = client.kinds.odd.create({ a: 1n } as any); console.log("bigint", await r.catch((e: any) => e.message)); } catch (e) { console.log("sync", (e as Error).message); }
  const cyc: any = {}; cyc.c = cyc;
  try { const r = client.kinds.odd.create(cyc); console.log("cyc", await r.catch((e: any) => e.message.slice(0, 100))); } catch (e) { console.log("sync", (e as Error).message); }
  for (const url of ["", "localhost:8000", "http://127.0.0.1:9/", "/jobwire", "ws://x"]) { const c = createJobwireClient({ url }); console.log(url, await c.trpc.system.info.query().catch((e) => e.message.slice(0, 120))); }
  console.log(String(JSON.stringify(client.kinds)), (() => { try { return `${client.kinds}`; } catch (e) { return (e as Error).message; } })());
}, 30000);
