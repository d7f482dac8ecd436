/** Calls for work that wait while their caller's credentials end. */
import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind } from "#server/kinds/define.ts";
import type { Work } from "#shared/work.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";

const SECRET = "a secret of the tests that has 32 bytes";

let app: App;
let data: TestData;

beforeAll(async () => {
  data = await newTestData();
  const auth = { AUTH_JWT_SECRET: SECRET, AUTH_AUDIENCE: "jobwire" };
  const env = { ...data.env, ...auth, PORT: "0", LOG_LEVEL: "silent" };
  const draw = defineKind({ name: "draw", input: z.object({}), output: z.unknown() });
  app = await createApp(loadConfig(env), { kinds: [draw] });
});
afterAll(async () => {
  await app.close();
  await data.remove();
});

function signed(scope: string, jti: string, seconds = 600): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  return new SignJWT({ sub: "ann", tenant: "acme", scope, jti, aud: "jobwire", exp })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(SECRET));
}

async function post(path: string, token: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  return fetch(`${app.url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

const wait = async (token: string) =>
  (await (await post("/work/claims", token, { kinds: ["draw"] })).json()) as Work;

test("[P5] a call for work waits no longer than its token is valid", async () => {
  expect(await wait(await signed("work", "short", 1))).toEqual({ jobs: [] });
});

test("[P13] a call for work ends when its token is revoked", async () => {
  const token = await signed("work", "revoked");
  const waiting = wait(token);
  const done = vi.fn<() => void>();
  void waiting.then(done);
  await vi.waitFor(async () => {
    await post("/revocations", await signed("admin", "admin"), { tokenId: "revoked" });
    expect(done).toHaveBeenCalled();
  });
  expect(await waiting).toEqual({ jobs: [] });
  expect((await post("/work/claims", token, { kinds: ["draw"] })).status).toBe(401);
});
