import { once } from "node:events";
import type { AnyTRPCProcedure, AnyTRPCRouter } from "@trpc/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { ZodObject, type ZodType } from "zod";
import { eventually } from "#test/jobs/jobs.fixture.ts";
import { isOpen } from "#server/auth/permissions.ts";
import type { Authenticate } from "#server/transports/contract.ts";
import { AppError } from "#shared/errors.ts";
import { createRouter } from "./router.ts";
import {
  type Link,
  openClient,
  openTestServer,
  watchBatch,
  watchFeed,
} from "#test/transports/trpc.fixture.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";

const LINKS: Link[] = ["ws", "sse"];
const PROTOCOLS = ["http", "ws"];
const work = { kind: "work", input: {} };

/** Ann and Bob. A token is in a header, or in the connection parameters if headers cannot be set. */
const authenticate: Authenticate = async ({ headers, token }) => {
  const given = token ?? headers.authorization?.replace("Bearer ", "");
  if (given !== "ann" && given !== "bob") {
    throw new AppError("UNAUTHENTICATED", `The token "${given}" is not known.`);
  }
  return { userId: given, tenantId: "bakery", scopes: [...PERSON_SCOPES] };
};

describe.each(LINKS)("over %s", (link) => {
  test("[J9] jobs and batches of another owner do not exist", async () => {
    const { url } = await openTestServer({ authenticate });
    const [ann, bob] = [openClient(url, link, "ann"), openClient(url, link, "bob")];
    const { id: batchId } = await ann.batch.create.mutate({ jobs: [work] });
    const [job] = (await ann.job.list.query()).items;
    const jobId = job?.id ?? "";
    expect(job?.owner).toBe("ann");

    const refused = { data: { code: "NOT_FOUND", appCode: "NOT_FOUND" } };
    await expect(bob.job.get.query({ jobId })).rejects.toMatchObject(refused);
    await expect(bob.job.cancel.mutate({ jobId })).rejects.toMatchObject(refused);
    expect((await bob.job.list.query()).items).toEqual([]);
    expect((await bob.batch.list.query()).items).toEqual([]);

    const notes = watchBatch(bob, { batchId });
    await eventually(() => expect(notes.state).toBe("failed"));
    expect(notes.errors[0]?.data?.code).toBe("NOT_FOUND");
    expect(notes.data).toEqual([]);
  });

  test("[J9] a feed shows only the owner's jobs", async () => {
    const { url } = await openTestServer({ authenticate });
    const [ann, bob] = [openClient(url, link, "ann"), openClient(url, link, "bob")];
    const notes = watchFeed(bob, { lastEventId: "0" });
    await ann.job.create.mutate(work);
    const mine = await bob.job.create.mutate(work);
    await ann.job.create.mutate(work);
    await eventually(() => expect(notes.data.map(({ job }) => job?.id)).toEqual([mine.id]));
  });

  test("an unauthenticated caller is refused with the reason, and cannot watch anything", async () => {
    const { url, watches } = await openTestServer({ authenticate });
    const stranger = openClient(url, link, "eve");
    await expect(stranger.job.list.query()).rejects.toMatchObject({
      message: 'The token "eve" is not known.',
      data: { code: "UNAUTHORIZED", appCode: "UNAUTHENTICATED", httpStatus: 401 },
    });
    await expect(stranger.system.info.query()).rejects.toMatchObject({
      data: { code: "UNAUTHORIZED" },
    });
    const notes = watchFeed(stranger, { lastEventId: "0" });
    await eventually(() => expect(notes.state).toBe("failed"));
    expect(notes.errors[0]).toMatchObject({
      message: 'The token "eve" is not known.',
      data: { code: "UNAUTHORIZED" },
    });
    expect(watches()).toBe(0);
  });
});

interface Procedure {
  path: string;
  type: string;
  /** The fields that its input must have. */
  required: string[];
}

function procedures(): Procedure[] {
  const router: AnyTRPCRouter = createRouter({ intervalMs: 1000, timeoutMs: 1000 }, ["work"]);
  // Flat, by path.
  const all = router._def.procedures as Record<string, AnyTRPCProcedure>;
  return Object.entries(all).map(([path, { _def }]) => {
    const { inputs } = _def as unknown as { inputs: readonly unknown[] };
    const [schema] = inputs;
    const fields = schema instanceof ZodObject ? Object.entries<ZodType>(schema.shape) : [];
    const required = fields.filter(([, field]) => !field.safeParse(undefined).success);
    return { path, type: _def.type, required: required.map(([name]) => name) };
  });
}

test.each(PROTOCOLS)(
  "[J9] over %s every procedure that takes the id of a job or a batch answers as if another owner's did not exist",
  async (link) => {
    const { url } = await openTestServer({ authenticate });
    const ann = openClient(url, "ws", "ann");
    const { id: batchId } = await ann.batch.create.mutate({ jobs: [work] });
    const { id: jobId } = await ann.job.create.mutate(work);
    const ids: Record<string, string> = { jobId, batchId };
    const byId = procedures().filter(({ required }) => required.some((name) => name in ids));
    expect(byId.length).toBeGreaterThan(10);
    for (const { path, type, required } of byId) {
      const input = Object.fromEntries(required.map((name) => [name, ids[name]]));
      const ask = { path, type, input, token: "bob" };
      const answer = await (link === "ws" ? overSocket : overHttp)(url, ask);
      // The owner is answered the same: a server whose program authenticates the callers shares nothing.
      const code = /\.(?:share|unshare|links)$/.test(path) ? "FORBIDDEN" : "NOT_FOUND";
      expect(answer, path).toContain(`"${code}"`);
    }
    // For their owner they do exist, and nothing that was asked has changed them.
    expect(await ann.job.get.query({ jobId })).toMatchObject({ id: jobId, error: null });
    expect(await ann.batch.get.query({ batchId })).toMatchObject({ aborted: 0 });
  },
);

test.each(PROTOCOLS)(
  "[H9] over %s every procedure refuses an unauthenticated caller before it reads the input",
  async (link) => {
    const { url, watches } = await openTestServer({ authenticate });
    const answers = await Promise.all(
      procedures()
        .filter(({ path }) => !isOpen(path))
        .map(({ path, type }) => (link === "ws" ? overSocket : overHttp)(url, { path, type })),
    );
    expect(answers.length).toBeGreaterThan(15);
    for (const answer of answers) {
      expect(answer).toContain('"UNAUTHORIZED"');
      expect(answer).toContain("is not known.");
    }
    expect(watches()).toBe(0);
  },
);

/** A request as the stock client writes it. Without `token`, the hook refuses it. */
interface Ask {
  path: string;
  type: string;
  input?: object;
  token?: string;
}

async function overHttp(url: string, { path, type, input, token }: Ask): Promise<string> {
  const json = JSON.stringify({ json: input });
  const query = input === undefined ? "" : `?input=${encodeURIComponent(json)}`;
  const headers = {
    "content-type": "application/json",
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const res =
    type === "mutation"
      ? await fetch(`${url}/trpc/${path}`, { method: "POST", headers, body: json })
      : await fetch(`${url}/trpc/${path}${query}`, { headers });
  return res.text();
}

async function overSocket(url: string, { path, type, input, token }: Ask): Promise<string> {
  const parameters = token === undefined ? "" : "?connectionParams=1";
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc${parameters}`);
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const refusal = new Promise<string>((resolve) => {
    socket.on("message", (data: Buffer) => {
      if (data.includes('"error"')) resolve(data.toString());
    });
  });
  if (token !== undefined) {
    socket.send(JSON.stringify({ method: "connectionParams", data: { token } }));
  }
  socket.send(JSON.stringify({ id: 1, method: type, params: { path, input: { json: input } } }));
  return refusal;
}

describe("[H13] a hook that fails, as its database is away, tells callers to try again and not why:", () => {
  const AWAY = "connect ECONNREFUSED 10.0.0.7:5432";
  const NOT_CHECKED = "The server could not check your credentials. Try again.";
  const refused = {
    message: NOT_CHECKED,
    data: { code: "SERVICE_UNAVAILABLE", appCode: "UNAVAILABLE", httpStatus: 503 },
  };

  /** A server whose hook fails for every caller until `comeBack()`. */
  async function openAwayServer() {
    let away = true;
    let asked = 0;
    const server = await openTestServer({
      authenticate: async (credentials) => {
        asked += 1;
        if (away) throw Object.assign(new Error(AWAY), { code: "ECONNREFUSED" });
        return authenticate(credentials);
      },
    });
    return { ...server, asked: () => asked, comeBack: () => void (away = false) };
  }

  test.each(LINKS)("calls over %s, and the next one finds it again", async (link) => {
    const server = await openAwayServer();
    const client = openClient(server.url, link, "ann");
    const calls = [client.job.list.query(), client.system.info.query()];
    for (const call of calls) await expect(call).rejects.toMatchObject(refused);
    expect(server.logged).toContainEqual(
      expect.objectContaining({
        msg: "`authenticate` failed; clients receive UNAVAILABLE",
        err: expect.objectContaining({ message: AWAY }) as unknown,
      }),
    );
    server.comeBack();
    await eventually(async () => {
      const { items } = await client.job.list.query();
      expect(items).toEqual([]);
    });
  });

  test.each(LINKS)("a subscription over %s begins when the hook works again", async (link) => {
    const server = await openAwayServer();
    const notes = watchFeed(openClient(server.url, link, "ann"), { lastEventId: "0" });
    await eventually(() => expect(server.asked()).toBeGreaterThan(1));
    expect(notes.state).toBe("open");
    server.comeBack();
    const { id } = await openClient(server.url, "sse", "ann").job.create.mutate(work);
    await eventually(() => expect(notes.data.map(({ job }) => job?.id)).toEqual([id]));
    expect(notes.errors).toEqual([]);
  });

  test("no answer reveals the address of the hook's database", async () => {
    const { url } = await openAwayServer();
    const answers = await Promise.all([
      overHttp(url, { path: "job.list", type: "query" }),
      overHttp(url, { path: "job.list,system.info?batch=1", type: "query" }),
      overHttp(url, { path: "feed.onUpdate", type: "subscription" }),
      overHttp(url, { path: "job.create", type: "mutation" }),
      overSocket(url, { path: "job.list", type: "query" }),
    ]);
    for (const answer of answers) {
      expect(answer).toContain(NOT_CHECKED);
      expect(answer).not.toMatch(/10\.0\.0\.7|ECONNREFUSED/);
    }
  });
});

test("[H13] clients receive FORBIDDEN with its message", async () => {
  const { url } = await openTestServer({
    authenticate: async () => {
      throw new AppError("FORBIDDEN", "This account is closed.");
    },
  });
  for (const link of LINKS) {
    await expect(openClient(url, link).job.list.query()).rejects.toMatchObject({
      message: "This account is closed.",
      data: { code: "FORBIDDEN", appCode: "FORBIDDEN", httpStatus: 403 },
    });
  }
});

test("a token in a header authenticates WebSockets too", async () => {
  const { url } = await openTestServer({ authenticate });
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc`, {
    headers: { authorization: "Bearer ann" },
  });
  const answer = new Promise<string>((resolve) => {
    socket.on("message", (data: Buffer) => resolve(data.toString()));
  });
  socket.on("open", () =>
    socket.send(
      JSON.stringify({ id: 1, method: "query", params: { path: "job.list", input: {} } }),
    ),
  );
  expect(JSON.parse(await answer)).toMatchObject({
    id: 1,
    result: { data: { json: { items: [] } } },
  });
  socket.close();
});
