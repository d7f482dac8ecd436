import { expect, test } from "vitest";
import { createJobwireClient } from "#client/lib/client.ts";
import { type Example, startExample } from "./example.ts";
import { describeExample } from "./example.suite.ts";

const SESSION_SECRET = "a secret of the tests, which is long enough";

async function logIn({ url }: Example, user: string): Promise<Response> {
  return fetch(`${url}/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user, password: `${user}'s password` }),
  });
}

async function tokenOf(from: Example, user: string): Promise<string> {
  return ((await (await logIn(from, user)).json()) as { session: string }).session;
}

const example = describeExample({
  basePath: "/jobs",
  start: (env) => startExample("express", { env: { ...env, SESSION_SECRET } }),
  kind: "salesReport",
  input: () => ({ from: "2021-01-01", to: "2025-12-31" }),
  clientEnds: /Sold for [\d.]+\n$/,
  signIn: (from) => tokenOf(from, "ann"),
});

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(example().url + path, { headers });

test("[P3] its session signs in to Jobwire too: in a cookie, and in a header", async () => {
  const session = await tokenOf(example(), "ann");
  const cookie = (await logIn(example(), "ann")).headers.get("set-cookie")?.split(";")[0];
  expect(cookie).toBe(`session=${session}`);
  for (const headers of [{ cookie }, { authorization: `Bearer ${session}` }] as Record<
    string,
    string
  >[]) {
    expect(await (await ask("/me", headers)).json()).toEqual({ user: "ann" });
    const me = await (await ask("/jobs/trpc/auth.me", headers)).json();
    expect(me).toMatchObject({ result: { data: { json: { userId: "ann", tenantId: "shop" } } } });
  }
});

test("[P3] it refuses callers who are not signed in", async () => {
  for (const headers of [
    {},
    { cookie: "session=YW5u.forged" },
    { authorization: "Bearer x" },
  ] as Record<string, string>[]) {
    expect((await ask("/me", headers)).status).toBe(401);
    expect((await ask("/jobs/trpc/job.list", headers)).status).toBe(401);
  }
  const stranger = createJobwireClient({ url: `${example().url}/jobs` });
  const watched = stranger.job("01a20665-8cab-704e-9437-209e0533c3ad").events().next();
  await expect(watched).rejects.toMatchObject({ data: { appCode: "UNAUTHENTICATED" } });
  stranger.close();
});

test("[P2] each user has the own jobs alone", async () => {
  const [ann, bob] = ["ann", "bob"].map((user) =>
    createJobwireClient({ url: `${example().url}/jobs`, getToken: () => tokenOf(example(), user) }),
  );
  const job = await ann?.kinds.salesReport?.create({ from: "2025-01-01", to: "2025-12-31" });
  const asked = bob?.job(job?.id ?? "").get();
  await expect(asked).rejects.toMatchObject({ data: { appCode: "NOT_FOUND" } });
  ann?.close();
  bob?.close();
});

test("its error handler answers for its own routes", async () => {
  const broken = await ask("/broken");
  expect([broken.status, await broken.json()]).toEqual([500, { error: "This route is broken." }]);
  expect((await ask("/nowhere")).status).toBe(404);
});
