/** Signing in at a real provider, over HTTP. */
import type { RequestListener } from "node:http";
import type { JWTPayload } from "jose";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { MAX_PROVIDER_BYTES } from "#server/oidc/bounded-fetch.ts";
import { MAX_CALLBACKS } from "#server/oidc/provider.ts";
import { SignInRefusedSchema, SignedInSchema } from "#shared/sign-in.schema.ts";
import { isMultiProcess, newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import {
  CLIENT_SECRET,
  startOidcProvider,
  type TestProvider,
} from "#test/oidc/provider.fixture.ts";
import { type Answer, createVisitor, type Visitor } from "#test/oidc/visitor.ts";
import { MAX_PENDING_SIGN_INS } from "./pending-cookies.ts";
import { MAX_CALLBACKS_OF_ADDRESS } from "./provider-turns.ts";

let data: TestData;
let app: App;
let url: string;
let provider: TestProvider;
let logged: string[];
let visitor: Visitor;

beforeEach(async () => {
  data = await newTestData();
  logged = [];
  const port = await freePort();
  url = `http://localhost:${port}`;
  provider = await startOidcProvider([url]);
  app = await startApp({ PORT: String(port) });
  visitor = createVisitor();
});
afterEach(async () => {
  await app.close();
  await provider.stop();
  await data.remove();
});

function startApp(env: Record<string, string>): Promise<App> {
  const config = loadConfig({ ...data.env, ...provider.envFor(url), ...env });
  const log = pino({ level: "warn" }, { write: (line: string) => logged.push(line) });
  return createApp(config, { log });
}

const startAt = (path: string) => `${url}/auth/oidc/start?return=${encodeURIComponent(path)}`;
const cookieOf = (who: Visitor) => who.cookies.get("localhost")?.get("jobwire");

async function me(who = visitor) {
  const headers = { cookie: `jobwire=${cookieOf(who)}`, "sec-fetch-site": "same-origin" };
  return (await fetch(`${url}/auth/me`, { headers })).json();
}

/** Begins a sign-in and stops before the provider's answer reaches the server. Resolves to the address of the answer. */
async function answerFor(who: Visitor, user: string, path = "/"): Promise<string> {
  const { headers } = await who.logIn(startAt(path), user, { until: `${url}/auth/oidc/callback` });
  return headers.location ?? "";
}

/** Signs in. Resolves to the answer that ends it: the one with the cookie, or the page that says why not. */
const finish = (who: Visitor, address: string) => who.open(address, { until: `${url}/` });
const signIn = async (who: Visitor, user: string) => finish(who, await answerFor(who, user));

/** What a failed sign-in shows. */
async function failure(answer: Promise<Answer>, who = visitor) {
  const { status, text, headers } = await answer;
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(cookieOf(who)).toBeUndefined();
  const [, title] = /<h1>([^<]*)<\/h1>/.exec(text) ?? [];
  return { status, title };
}
const REFUSED = { status: 403, title: "You could not be signed in" };
const STALE = { status: 400, title: "This sign-in is not the current one" };
const DOWN = { status: 503, title: "Acme ID cannot be reached" };

test("[P18] a person who signs in at the provider is its subject, with the scopes that are configured", async () => {
  const answer = await visitor.logIn(startAt("/jobs/new?a=b#c"), "ann", { until: `${url}/jobs` });
  expect([answer.status, answer.headers.location]).toEqual([302, `${url}/jobs/new?a=b#c`]);
  const [dropped, set] = answer.headers["set-cookie"] ?? [];
  expect(dropped).toMatch(/^jobwire-oidc-[\w-]{8}=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/);
  expect(set).toMatch(/^jobwire=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
  expect([...(visitor.cookies.get("localhost")?.keys() ?? [])]).toEqual(["jobwire"]);
  const who = SignedInSchema.parse(await me());
  expect(who).toMatchObject({
    user: "ann",
    tenant: "acme",
    scopes: ["jobs:read", "jobs:write", "jobs:review"],
    byCookie: true,
    methods: ["oidc", "token"],
    provider: { name: "Acme ID", url: `${url}/auth/oidc/start` },
  });
  // Days, and not the minutes of the id_token.
  expect((who.expiresAt ?? 0) - Date.now()).toBeGreaterThan(3_600_000);
  expect(logged).toEqual([]);
});

test("[P18] the provider is asked with PKCE, a state and a nonce that are new each time", async () => {
  const asked = await Promise.all(
    [1, 2].map(async () => {
      const { headers } = await visitor.open(startAt("/"), { until: provider.issuer });
      return new URL(headers.location ?? "").searchParams;
    }),
  );
  for (const name of ["state", "nonce", "code_challenge"]) {
    const values = asked.map((query) => query.get(name) ?? "");
    expect(new Set(values).size).toBe(2);
    for (const value of values) expect(Buffer.from(value, "base64url")).toHaveLength(32);
  }
  expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
    client_id: "jobwire",
    response_type: "code",
    scope: "openid",
    code_challenge_method: "S256",
    redirect_uri: `${url}/auth/oidc/callback`,
  });
});

test("[P18] a window that is to close says that the person is signed in, and goes nowhere", async () => {
  const answer = await visitor.logIn(`${url}/auth/oidc/start?close=1`, "ann");
  expect(answer.status).toBe(200);
  expect(answer.text).toContain("You are signed in");
  expect(answer.text).toContain("BroadcastChannel");
  expect(await me()).toMatchObject({ user: "ann" });
  const policy = answer.headers["content-security-policy"];
  expect(policy).toMatch(/default-src 'none'.*script-src 'sha256-[^']+';.*frame-ancestors 'none'/);
  expect(answer.headers["referrer-policy"]).toBe("no-referrer");
});

test("[P10] [P18] a sign-in at the provider replaces the one before of this browser", async () => {
  await signIn(visitor, "ann");
  const first = cookieOf(visitor);
  visitor.cookies.delete("127.0.0.1");
  await signIn(visitor, "bob");
  expect(await me()).toMatchObject({ user: "bob" });
  const headers = { cookie: `jobwire=${first}`, "sec-fetch-site": "same-origin" };
  expect((await fetch(`${url}/auth/me`, { headers })).status).toBe(401);
});

test("[P18] two tabs that sign in at the same time both succeed, in any order", async () => {
  const [one, other] = [
    await answerFor(visitor, "ann", "/one"),
    await answerFor(visitor, "ann", "/other"),
  ];
  for (const [address, path] of [
    [other, "/other"],
    [one, "/one"],
  ] as const) {
    expect((await finish(visitor, address)).headers.location).toBe(url + path);
    expect(await me()).toMatchObject({ user: "ann" });
  }
});

test("[P18] a browser that begins many sign-ins keeps the newest", async () => {
  const addresses: string[] = [];
  for (let times = 0; times < MAX_PENDING_SIGN_INS + 2; times++) {
    addresses.push(await answerFor(visitor, "ann", `/${times}`));
    expect(visitor.cookies.get("localhost")?.size).toBeLessThanOrEqual(MAX_PENDING_SIGN_INS);
  }
  const { status, title } = await failure(finish(visitor, addresses[0] ?? ""));
  expect({ status, title }).toEqual(STALE);
  expect((await finish(visitor, addresses.at(-1) ?? "")).status).toBe(302);
});

test("[P18] an answer counts once, also for a browser that kept the cookie", async () => {
  const address = await answerFor(visitor, "ann");
  const kept = new Map(visitor.cookies.get("localhost"));
  expect((await finish(visitor, address)).status).toBe(302);
  visitor.cookies.get("localhost")?.delete("jobwire");
  expect(await failure(finish(visitor, address))).toEqual(STALE);
  visitor.cookies.set("localhost", kept);
  expect(await failure(finish(visitor, address))).toEqual(REFUSED);
});

test("[P18] an answer counts only in the browser that began the sign-in", async () => {
  const [attacker, victim] = [createVisitor(), createVisitor()];
  const address = await answerFor(attacker, "eve");
  expect(await failure(finish(victim, address), victim)).toEqual(STALE);
  // The victim has begun one of its own, too: neither the state nor the code of the other counts.
  const own = new URL(await answerFor(victim, "ann"));
  expect(await failure(finish(victim, address), victim)).toEqual(STALE);
  own.searchParams.set("code", new URL(address).searchParams.get("code") ?? "");
  expect(await failure(finish(victim, own.href), victim)).toEqual(REFUSED);
});

test.each<[what: string, change: (query: URLSearchParams) => void, shown: object]>([
  ["no state", (query) => query.delete("state"), STALE],
  ["another state", (query) => query.set("state", "A".repeat(43)), STALE],
  [
    "a state with the same beginning",
    (query) => query.set("state", (query.get("state") ?? "").slice(0, 42) + "_"),
    STALE,
  ],
  ["two states", (query) => query.append("state", "A".repeat(43)), REFUSED],
  ["no code", (query) => query.delete("code"), REFUSED],
  ["another code", (query) => query.set("code", "x"), REFUSED],
  ["another issuer", (query) => query.set("iss", "https://evil.example"), REFUSED],
  ["no issuer, which this provider always names", (query) => query.delete("iss"), REFUSED],
])("[P18] an answer with %s is refused", async (_what, change, shown) => {
  const address = new URL(await answerFor(visitor, "ann"));
  change(address.searchParams);
  expect(await failure(finish(visitor, address.href))).toEqual(shown);
});

test("[P18] a cookie that the server did not seal, or sealed for another state, is none", async () => {
  const address = await answerFor(visitor, "ann");
  const jar = visitor.cookies.get("localhost");
  const [[name = "", value = ""] = []] = jar ?? [];
  for (const forged of ["x", "", `${value.slice(0, -3)}AAA`, "a.b.c.d.e"]) {
    jar?.set(name, forged);
    expect(await failure(finish(visitor, address))).toEqual(STALE);
  }
  await answerFor(visitor, "ann");
  const other = [...(jar ?? [])].find(([each]) => each !== name)?.[1] ?? "";
  jar?.set(name, other);
  expect(await failure(finish(visitor, address))).toEqual(STALE);
});

const now = () => Math.floor(Date.now() / 1000);
test.each<[what: string, change: (claims: JWTPayload) => JWTPayload]>([
  ["another nonce", (claims) => ({ ...claims, nonce: "x" })],
  ["no nonce", ({ nonce: _none, ...claims }) => claims],
  ["another audience", (claims) => ({ ...claims, aud: "shop" })],
  [
    "several audiences, and another party",
    (claims) => ({ ...claims, aud: ["jobwire", "shop"], azp: "shop" }),
  ],
  ["another issuer", (claims) => ({ ...claims, iss: "https://evil.example" })],
  ["an end that is past", (claims) => ({ ...claims, exp: now() - 60 })],
  ["no end", ({ exp: _none, ...claims }) => claims],
  ["no subject", ({ sub: _none, ...claims }) => claims],
])("[P18] an id_token with %s is refused", async (_what, change) => {
  provider.changeClaims = change;
  expect(await failure(signIn(visitor, "ann"))).toEqual(REFUSED);
  const log = logged.join("");
  expect(log).toContain("A sign-in at the OpenID Connect provider failed");
  expect(log).not.toContain(CLIENT_SECRET);
  expect(log).not.toMatch(/eyJ|nonce":/);
});

test("[P18] an id_token whose key the provider does not publish is refused", async () => {
  provider.intercept = (req, res) => {
    if (req.url !== "/jwks") return false;
    res.setHeader("content-type", "application/json").end('{"keys":[]}');
    return true;
  };
  expect(await failure(signIn(visitor, "ann"))).toEqual(REFUSED);
});

test("[P19] after the provider changed its key, people sign in with the new one at once", async () => {
  expect((await signIn(visitor, "ann")).status).toBe(302);
  await provider.rotateKey();
  const other = createVisitor();
  expect((await signIn(other, "bob")).status).toBe(302);
  expect(await me(other)).toMatchObject({ user: "bob" });
});

test("[P18] a person without a tenant is refused with a page that says so", async () => {
  for (const tenant of [undefined, "", "x".repeat(301)]) {
    provider.tenants.set("ann", tenant);
    const shown = await failure(signIn(visitor, "ann"));
    expect(shown).toEqual({ status: 403, title: "Your account has no tenant" });
  }
  expect(logged.join("")).toContain("tenant");
});

test("[P18] a subject that cannot be stored is refused", async () => {
  const shown = await failure(signIn(visitor, "x".repeat(301)));
  expect(shown).toEqual({ status: 403, title: "Your account cannot be used" });
});

test("[P18] a person who cancels at the provider is told so, and can try again", async () => {
  const form = await visitor.open(startAt("/jobs/new"));
  const cancelled = visitor.open(`${form.url}/abort`);
  const denied = { status: 403, title: "You were not signed in" };
  expect(await failure(cancelled)).toEqual(denied);
  const { text } = await cancelled;
  expect(text).toContain(`href="${url}/auth/oidc/start?return=%2Fjobs%2Fnew"`);
  expect(text).toContain(`href="${url}/jobs/new"`);
  expect((await signIn(visitor, "ann")).status).toBe(302);
  expect(logged).toEqual([]);
});

test("sign-ins at the provider are counted: accepted, refused by it, and failed for lack of it", async () => {
  await app.close();
  const port = await freePort();
  app = await startApp({ PORT: new URL(url).port, METRICS_PORT: String(port) });
  const counted = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return [...text.matchAll(/^jobwire_sign_ins_total\{method="oidc",outcome="(\w+)"\} (\d+)$/gm)]
      .map(([, outcome, count]) => `${outcome} ${count}`)
      .toSorted();
  };
  expect(await counted()).toEqual(["accepted 0", "failed 0", "refused 0"]);
  const form = await visitor.open(startAt("/"));
  await visitor.open(`${form.url}/abort`);
  expect(await counted()).toEqual(["accepted 0", "failed 0", "refused 1"]);
  expect((await signIn(visitor, "ann")).status).toBe(302);
  expect(await counted()).toEqual(["accepted 1", "failed 0", "refused 1"]);
  const other = createVisitor();
  const answer = await answerFor(other, "bob");
  await provider.stop();
  expect(await failure(finish(other, answer), other)).toEqual(DOWN);
  expect(await counted()).toEqual(["accepted 1", "failed 1", "refused 1"]);
  await provider.start();
});

test.each<[what: string, answer: RequestListener, shown?: object]>([
  ["answers with an error", (_req, res) => void res.writeHead(500).end("{}")],
  [
    "answers with a page",
    (_req, res) => void res.setHeader("content-type", "text/html").end("<p>"),
  ],
  [
    "answers with JSON of another kind",
    (_req, res) => void res.setHeader("content-type", "application/json").end("[1]"),
    REFUSED,
  ],
  ["redirects", (_req, res) => void res.writeHead(302, { location: "/elsewhere" }).end()],
  ["breaks the connection", (req) => void req.socket.destroy()],
  [
    "answers without end",
    (_req, res) => {
      res.setHeader("content-type", "application/json");
      const more = () => {
        while (res.write("x".repeat(65_536)));
      };
      res.on("drain", more).on("error", () => {});
      more();
    },
  ],
  ["never answers", () => {}],
])(
  "[P19] a provider that %s costs a bounded time, and the person sees that it cannot be used",
  async (_what, answer, shown = DOWN) => {
    provider.intercept = (req, res) => {
      if (req.method !== "POST" || req.url !== "/token") return false;
      answer(req, res);
      return true;
    };
    expect(await failure(signIn(visitor, "ann"))).toEqual(shown);
    await app.close();
    app = await startApp({ PORT: new URL(url).port });
    provider.intercept = (req, res) => {
      answer(req, res);
      return true;
    };
    expect(await failure(visitor.open(startAt("/")))).toEqual(DOWN);
  },
);

test("[P19] a provider that is down does not keep the server from starting, and is logged once until it is up", async () => {
  await app.close();
  await provider.stop();
  app = await startApp({ PORT: new URL(url).port });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const before = logged.length;
  await vi.waitFor(async () => {
    expect(await failure(visitor.open(startAt("/")))).toEqual(DOWN);
    expect(await failure(visitor.open(startAt("/")))).toEqual(DOWN);
  });
  const lines = logged.slice(before).filter((line) => line.includes("cannot be used"));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("ECONNREFUSED");
  await provider.start();
  await vi.waitFor(async () => expect((await signIn(visitor, "ann")).status).toBe(302));
});

test("[P19] the trouble of a provider is logged once, however often people try", async () => {
  provider.intercept = (req) => req.socket.destroy() !== undefined;
  await vi.waitFor(async () => {
    expect(await failure(visitor.open(startAt("/")))).toEqual(DOWN);
    // The server asks again at most once a second, and an ordinary log would have a line for each.
    expect(provider.requests.length).toBeGreaterThan(3);
  });
  expect(logged).toHaveLength(1);
  provider.intercept = undefined;
  await vi.waitFor(async () => expect((await signIn(visitor, "ann")).status).toBe(302));
  provider.intercept = (req) => req.url === "/token" && req.socket.destroy() !== undefined;
  for (const user of ["bob", "carl", "dora"]) {
    const other = createVisitor();
    expect(await failure(signIn(other, user), other)).toEqual(DOWN);
  }
  expect(logged).toHaveLength(2);
});

test("[P19] an answer of the provider that is too long is not used", async () => {
  const answer = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
  const metadata = (await answer.json()) as object;
  let padding = MAX_PROVIDER_BYTES;
  provider.intercept = (req, res) => {
    if (!req.url?.startsWith("/.well-known/")) return false;
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify({ ...metadata, padding: "x".repeat(padding) }));
    return true;
  };
  expect(await failure(visitor.open(startAt("/")))).toEqual(DOWN);
  expect(logged.join("")).toContain(`more than ${MAX_PROVIDER_BYTES} bytes`);
  padding = MAX_PROVIDER_BYTES / 2;
  await vi.waitFor(async () => expect((await signIn(visitor, "ann")).status).toBe(302));
});

test("[P19] the server proves its identity in the way that the provider accepts, and keeps to it", async () => {
  const ways: string[] = [];
  provider.intercept = (req, res) => {
    if (req.url !== "/token") return false;
    const isBasic = req.headers.authorization !== undefined;
    ways.push(isBasic ? "basic" : "post");
    if (!isBasic) return false;
    const headers = { "content-type": "application/json", "www-authenticate": "Basic" };
    res.writeHead(401, headers).end('{"error":"invalid_client"}');
    return true;
  };
  expect((await signIn(visitor, "ann")).status).toBe(302);
  expect((await signIn(createVisitor(), "bob")).status).toBe(302);
  expect(ways).toEqual(["basic", "post", "post"]);
});

const from = (address: string) => ({ "x-forwarded-for": address });
const [HOME, ELSEWHERE] = [from("203.0.113.7"), from("203.0.113.8")];

async function restart(env: Record<string, string>): Promise<void> {
  await app.close();
  app = await startApp({ PORT: new URL(url).port, TRUST_PROXY: "loopback", ...env });
}
/** An answer of the provider with a code that the provider did not make. */
async function badAnswer(who: Visitor): Promise<string> {
  const address = new URL(await answerFor(who, "ann"));
  address.searchParams.set("code", "x");
  return address.href;
}
const finishFrom = (who: Visitor, address: string, headers: object) =>
  who.open(address, { until: `${url}/`, headers });

async function fail(headers: object) {
  const answer = finishFrom(visitor, await badAnswer(visitor), headers);
  return { ...(await failure(answer)), retryAfter: (await answer).headers["retry-after"] };
}

describe("sign-ins of one address", () => {
  const TOO_MANY = { status: 429, title: "Too many sign-ins have failed" };

  test("[R6] that fail are slowed down beyond the limit, and keep none out that is good", async () => {
    await restart({ LIMIT_ADDRESS_FAILED_SIGN_INS: "3" });
    // These cost the provider nothing.
    const stale = (await answerFor(visitor, "ann")).replace("state=", "state=x");
    for (let n = 0; n < 4; n += 1) {
      expect(await failure(finishFrom(visitor, stale, HOME))).toEqual(STALE);
    }
    for (let n = 0; n < 3; n += 1) expect(await fail(HOME)).toMatchObject(REFUSED);
    const { retryAfter, ...shown } = await fail(HOME);
    expect(shown).toEqual(TOO_MANY);
    expect(Number(retryAfter)).toBeGreaterThan(0);
    expect(Number(retryAfter)).toBeLessThanOrEqual(60);
    // They count together with other credentials.
    const headers = { authorization: "Bearer bad", ...HOME };
    expect((await fetch(`${url}/auth/me`, { headers })).status).toBe(429);

    expect(await fail(ELSEWHERE)).toMatchObject(REFUSED);
    const good = createVisitor();
    const answer = await finishFrom(good, await answerFor(good, "bob"), HOME);
    expect([answer.status, answer.headers.location]).toEqual([302, `${url}/`]);
    expect(await me(good)).toMatchObject({ user: "bob" });
    expect(logged.join("")).toContain("A sign-in from 203.0.113.7 failed");
  });

  test("[R6] [P19] that fail because the provider is down say so, however many they are", async () => {
    await restart({ LIMIT_ADDRESS_FAILED_SIGN_INS: "1" });
    provider.intercept = (req, res) => {
      if (req.url !== "/token") return false;
      res.writeHead(500).end("{}");
      return true;
    };
    for (let n = 0; n < 3; n += 1) expect(await fail(HOME)).toMatchObject(DOWN);
    provider.intercept = undefined;
    // They cost as much as others that fail.
    expect(await fail(HOME)).toMatchObject(TOO_MANY);
  });

  test("[P19] that wait for the provider keep none of other addresses out", async () => {
    await restart({ LIMIT_ADDRESS_FAILED_SIGN_INS: "0" });
    const bad = await badAnswer(visitor);
    const held: (() => void)[] = [];
    let isHeld = true;
    provider.intercept = (req, res) => {
      if (!isHeld || req.url !== "/token") return false;
      held.push(() => void res.writeHead(400).end('{"error":"invalid_grant"}'));
      return true;
    };
    const waiting = Array.from({ length: MAX_CALLBACKS }, () => finishFrom(visitor, bad, HOME));
    await vi.waitFor(() => expect(held).toHaveLength(MAX_CALLBACKS_OF_ADDRESS));
    isHeld = false;
    const good = createVisitor();
    const answer = await finishFrom(good, await answerFor(good, "bob"), ELSEWHERE);
    expect([answer.status, answer.headers.location]).toEqual([302, `${url}/`]);
    // Nor one of their own address, when its turn comes.
    const another = createVisitor();
    const last = answerFor(another, "carl").then((address) => finishFrom(another, address, HOME));
    for (const answerBad of held) answerBad();
    expect((await last).status).toBe(302);
    await Promise.all(waiting);
  });
});

test("[P18] a wrong secret of the client is refused, and neither page nor log has it", async () => {
  await app.close();
  const OIDC_CLIENT_SECRET = "another secret of the client";
  app = await startApp({ OIDC_CLIENT_SECRET, PORT: new URL(url).port });
  const answer = signIn(visitor, "ann");
  expect(await failure(answer)).toEqual(REFUSED);
  expect((await answer).text + logged.join("")).not.toContain(OIDC_CLIENT_SECRET);
  expect(logged.join("")).toContain("invalid_client");
});

test("[P18] a sign-in that was begun before a restart is finished after it", async () => {
  const address = await answerFor(visitor, "ann");
  await app.close();
  app = await startApp({ PORT: new URL(url).port });
  expect((await finish(visitor, address)).status).toBe(302);
  expect(await me()).toMatchObject({ user: "ann" });
});

test.runIf(isMultiProcess)(
  "[P18] a sign-in that began at one gateway ends at another, and counts at both",
  async () => {
    const second = await startApp({ PORT: "0" });
    onTestFinished(async () => void (await second.close()));
    const address = await answerFor(visitor, "ann");
    const elsewhere = address.replace(url, second.url);
    expect((await finish(visitor, elsewhere)).headers.location).toBe(`${url}/`);
    expect(await me()).toMatchObject({ user: "ann" });
  },
);

test("[P18] a sign-in ends when the server has another provider, or none", async () => {
  await signIn(visitor, "ann");
  await app.close();
  app = await startApp({ PORT: new URL(url).port, OIDC_ISSUER: "https://other.example.com" });
  expect(await me()).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
  await app.close();
  const none = {
    OIDC_ISSUER: "",
    OIDC_CLIENT_ID: "",
    OIDC_CLIENT_SECRET: "",
    OIDC_NAME: "",
    PUBLIC_URL: "",
  };
  app = await startApp({ ...none, PORT: new URL(url).port, AUTH_API_KEYS: "true" });
  expect(SignInRefusedSchema.parse(await me())).toMatchObject({ methods: ["token"] });
  expect((await fetch(startAt("/"))).status).toBe(404);
});

test("[P18] where neither keys nor tokens are taken, the provider is the only way", async () => {
  await app.close();
  app = await startApp({ PORT: new URL(url).port, AUTH_API_KEYS: "false" });
  const refused = SignInRefusedSchema.parse(await me());
  expect(refused.methods).toEqual(["oidc"]);
});

test.each([
  ["https://evil.example/"],
  ["//evil.example"],
  [String.raw`/\evil.example`],
  [String.raw`\\evil.example`],
  ["/\t/evil.example"],
  ["/\n/evil.example"],
  ["/a/..//evil.example"],
  ["/.//evil.example"],
  ["javascript:alert(1)"],
  ["jobs/new"],
  [""],
  ["/auth/oidc/start?return=/"],
  ["/auth"],
  [`/${"x".repeat(600)}`],
])("[P18] signing in never leads to %j", async (path) => {
  const shown = await failure(visitor.open(startAt(path)));
  expect(shown).toEqual({ status: 400, title: "This link leads to another place" });
});

describe("[P18] pages of other sites", () => {
  const navigation = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  test.each<[what: string, headers: Record<string, string>, status: number]>([
    ["a link of another site", { "sec-fetch-site": "cross-site", ...navigation }, 302],
    ["a link of the same site", { "sec-fetch-site": "same-site", ...navigation }, 302],
    ["our own page", { "sec-fetch-site": "same-origin", ...navigation }, 302],
    [
      "a frame",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" },
      403,
    ],
    [
      "an image",
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
      403,
    ],
    [
      "a script's request",
      {
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
        origin: "https://evil.example",
      },
      403,
    ],
    [
      "a form of another site",
      { "sec-fetch-site": "cross-site", ...navigation, origin: "https://evil.example" },
      403,
    ],
  ])("%s may begin a sign-in: %s", async (_what, headers, status) => {
    const { status: given } = await visitor.open(startAt("/"), { until: provider.issuer, headers });
    expect(given).toBe(status);
  });

  test.each(["https://app.example.com", "https://a.wild.example"])(
    "that are listed cannot use these addresses in a script: %s",
    async (origin) => {
      await app.close();
      const CORS_ORIGINS = "https://app.example.com,https://*.wild.example";
      app = await startApp({ PORT: new URL(url).port, CORS_ORIGINS });
      const headers = { origin, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" };
      for (const path of ["start", "callback"]) {
        const answer = await visitor.open(`${url}/auth/oidc/${path}`, { headers });
        expect([answer.status, answer.headers["set-cookie"]]).toEqual([403, undefined]);
      }
    },
  );

  test("cannot open any other address below /auth", async () => {
    const headers = { "sec-fetch-site": "cross-site", ...navigation };
    expect((await visitor.open(`${url}/auth/me`, { headers })).status).toBe(403);
    expect((await visitor.open(`${url}/auth/oidc/callback/x`, { headers })).status).toBe(403);
  });
});

test("[P18] other methods are refused", async () => {
  for (const path of ["start", "callback"]) {
    const answer = await fetch(`${url}/auth/oidc/${path}`, { method: "POST" });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
  }
});
