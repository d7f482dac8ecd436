/** Each check of a server, against a real one behind proxies that are broken in one way each. */
import { createServer } from "node:http";
import { once } from "node:events";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import type { Finding, Verdict } from "#shared/finding.ts";
import { type Faults, openProxy } from "#test/doctor/proxy.fixture.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { createPair, type TestPair } from "#test/tls/certificate.fixture.ts";
import { startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { runChecks } from "./check.ts";
import { checkPeerCertificate } from "./remote/certificate.ts";
import { checkClock } from "./remote/answers.ts";
import { trusting } from "./remote/target.ts";
import { remoteChecks, type RemoteOptions } from "./remote-checks.ts";

const ENV = { PORT: "0", CORS_ORIGINS: "https://app.example.com" };
const log = pino({ level: "silent" });

let data: TestData[];
let open: App;
let other: App;
let signedIn: App;
let pair: TestPair;
beforeAll(async () => {
  data = await Promise.all([newTestData(), newTestData(), newTestData()]);
  const [one, two, three] = data as [TestData, TestData, TestData];
  const start = ({ env }: TestData) => createApp(loadConfig({ ...env, ...ENV }), { log });
  [open, other, signedIn, pair] = await Promise.all([
    start(one),
    start(two),
    startAppWithTokens(three, { env: ENV }),
    createPair(),
  ]);
});
afterAll(async () => {
  await Promise.all([open, other, signedIn].map((app) => app.close()));
  await Promise.all(data.map((each) => each.remove()));
});

type Options = Partial<Omit<RemoteOptions, "url">> & {
  /** The names of the checks to run. Default: all. */
  only?: readonly string[];
};

/** Checks the address, and returns the findings by name. */
async function doctor(url: string, options: Options = {}): Promise<Map<string, Finding>> {
  const { only, ...rest } = options;
  const given = { url: new URL(url), idleMs: 0, now: () => new Date(), ...rest };
  const { findings, checks } = await remoteChecks(given, AbortSignal.timeout(60_000));
  const all = [...findings];
  const chosen = checks.filter(({ name }) => only?.includes(name) ?? true);
  await runChecks(chosen, (finding) => all.push(finding));
  return new Map(all.map((finding) => [finding.check, finding]));
}

/** Behind a proxy with this fault. */
async function behind(faults: Faults, options: Options & { app?: App } = {}) {
  const { app = open, ...rest } = options;
  return doctor(await openProxy([app.url], faults), rest);
}

const verdicts = (findings: Map<string, Finding>, verdict: Verdict) =>
  [...findings.values()].filter((each) => each.verdict === verdict).map(({ check }) => check);

const WEBSOCKETS = ["websocket trpc", "websocket socket.io"];

const says = (verdict: Verdict, text: string) =>
  expect.objectContaining({ verdict, found: expect.stringContaining(text) as string }) as Finding;

describe("a server without a fault", () => {
  test("has no finding but ok, directly and behind a proxy", async () => {
    for (const found of [await doctor(open.url), await behind({})]) {
      expect(verdicts(found, "fail")).toEqual([]);
      expect(verdicts(found, "warn")).toEqual([]);
      expect(verdicts(found, "skip")).toEqual(["idle"]);
      expect(found.size).toBeGreaterThan(12);
    }
  });

  test("that asks for a sign-in is checked further with a token, and no answer shows it", async () => {
    const without = await doctor(signedIn.url);
    expect(verdicts(without, "fail")).toEqual([]);
    expect(verdicts(without, "skip")).toEqual(["version", "event stream", "idle"]);
    expect(without.get("websocket trpc")).toEqual(says("ok", "asks for a sign-in"));
    const token = await tokenFor("ann");
    const found = await behind({}, { app: signedIn, token });
    expect(verdicts(found, "fail")).toEqual([]);
    expect(found.get("version")?.verdict).toBe("ok");
    expect(found.get("sign-in cookie")).toEqual(says("ok", "signs in"));
    expect(JSON.stringify([...found.values()])).not.toContain(token);
  });

  test("refuses a bad token on each way", async () => {
    const refusing = ["version", ...WEBSOCKETS, "sign-in cookie"];
    const found = await doctor(signedIn.url, { token: "nonsense", only: refusing });
    for (const name of refusing) {
      expect(found.get(name)?.verdict, name).toBe("fail");
    }
    expect(JSON.stringify([...found.values()])).not.toContain("nonsense");
  });

  test("tells whether a page of another origin may use it", async () => {
    const listed = await doctor(open.url, { origin: "https://app.example.com", only: ["origin"] });
    expect(listed.get("origin http")).toEqual(says("ok", "also with the cookie"));
    expect(listed.get("origin websocket")?.verdict).toBe("ok");
    const foreign = await doctor(open.url, {
      origin: "https://else.example.com",
      only: ["origin"],
    });
    expect(foreign.get("origin http")).toEqual(says("fail", "else.example.com"));
    expect(foreign.get("origin websocket")).toEqual(says("fail", "may not use this server"));
  });
});

/** The finding about event streams where a proxy answers for them. */
async function findingAboutStream(type: string, body: string): Promise<Finding | undefined> {
  const answers: Faults["answers"] = (path) =>
    path.includes("onState") ? { status: 200, headers: { "content-type": type }, body } : undefined;
  return (await behind({ answers }, { only: ["event stream"] })).get("event stream");
}

/** About the event stream, behind a proxy that compresses it. */
async function findingsCompressed(compresses: Faults["compresses"]): Promise<Finding[]> {
  const { checks } = await remoteChecks(
    {
      url: new URL(await openProxy([open.url], { compresses })),
      idleMs: 0,
      now: () => new Date(),
      firstEventMs: compresses?.passesOn === "later" ? 300 : 60_000,
    },
    AbortSignal.timeout(60_000),
  );
  const found: Finding[] = [];
  const stream = checks.filter(({ name }) => name === "event stream");
  await runChecks(stream, (finding) => found.push(finding));
  return found;
}

/** Answers calls of tRPC as Jobwire does. */
const refusing = (appCode: string): Faults => ({
  answers: (path) =>
    path.startsWith("/trpc")
      ? {
          status: 500,
          body: JSON.stringify({ error: { json: { message: "Not now.", data: { appCode } } } }),
        }
      : undefined,
});

/** `undefined` removes the cookie. */
const changingCookies = (change: (cookie: string) => string | undefined): Faults => ({
  answerHeaders(headers) {
    const [cookie] = (headers["set-cookie"] ?? []) as string[];
    const changed = cookie === undefined ? undefined : change(cookie);
    if (changed === undefined) delete headers["set-cookie"];
    else headers["set-cookie"] = [changed];
  },
});

const answering = (status: number, location?: string): Faults => ({
  answers: () => ({ status, headers: location ? { location } : {}, body: "nginx" }),
});

const missing = (prefix: string): Faults => ({
  answers: (path) => (path.startsWith(prefix) ? { status: 404, body: "nginx" } : undefined),
});

const readyzAnswers = (status: number, body: object): Faults => ({
  answers: (path) => (path === "/readyz" ? { status, body: JSON.stringify(body) } : undefined),
});

describe("a proxy", () => {
  test("that removes Upgrade", async () => {
    const found = await behind({ dropsUpgrade: true }, { only: [...WEBSOCKETS, "polling"] });
    for (const name of ["websocket trpc", "websocket socket.io"]) {
      expect(found.get(name)).toMatchObject({
        verdict: "fail",
        remedy: expect.stringContaining("removes the header Upgrade") as string,
      });
    }
    expect(found.get("polling")?.verdict).toBe("ok");
  });

  test.each([
    [403, "<html><title>Forbidden</title></html>", "A proxy or firewall refuses WebSockets."],
    [426, "", "HTTP/1.0"],
    [502, "<title>502 Bad Gateway</title>", "cannot reach the server"],
    [301, "", "Use the address"],
    [400, "", "removes the header Upgrade"],
    [200, "<html><title>Our app</title></html>", "leads to another program"],
    [404, "<html><title>404 Not Found</title></html>", "leads to another program"],
  ])("that answers upgrades with %i", async (status, body, remedy) => {
    const found = await behind({ answersUpgrade: { status, body } }, { only: WEBSOCKETS });
    const { verdict, remedy: given } = found.get("websocket trpc") ?? {};
    expect(verdict).toBe("fail");
    expect(given).toContain(remedy);
  });

  test("that passes no messages of a WebSocket on is given up in time", async () => {
    const proxy = await openProxy([open.url], { swallowsMessages: true });
    const { checks } = await remoteChecks(
      { url: new URL(proxy), idleMs: 0, now: () => new Date() },
      AbortSignal.timeout(60_000),
    );
    const found: Finding[] = [];
    const impatient = checks.map((check) => ({ ...check, timeoutMs: 500 }));
    await runChecks(impatient, (finding) => found.push(finding));
    expect(found.filter(({ check }) => check === "websocket trpc")).toEqual([
      says("fail", "0.5 s"),
    ]);
  });

  test("that holds an event stream back", async () => {
    const found = await behind(
      { buffers: true },
      { firstEventMs: 300, only: ["event stream", ...WEBSOCKETS] },
    );
    expect(found.get("event stream")).toEqual(says("fail", "no event came within 0.3 s"));
    expect(found.get("websocket trpc")?.verdict).toBe("ok");
  });

  test("that compresses an event stream, and passes it on at once or later", async () => {
    const [isInTime, isLate] = [
      says("ok", "while the stream was open"),
      says("fail", "no event came within 0.3 s"),
    ];
    expect(await findingsCompressed({ coding: "br", passesOn: "at once" })).toEqual([
      says("warn", "compressed on the way (br)"),
      isInTime,
    ]);
    // As the server itself does.
    expect(await findingsCompressed({ coding: "gzip", passesOn: "at once" })).toEqual([isInTime]);
    // The first bytes of gzip come at once, and say nothing.
    for (const coding of ["br", "gzip"] as const) {
      expect(await findingsCompressed({ coding, passesOn: "later" })).toEqual([isLate]);
    }
  });

  test("that answers event streams with a page, or with events of another program", async () => {
    expect(await findingAboutStream("text/html", "<html>")).toEqual(says("fail", "text/html"));
    const foreign = await findingAboutStream("text/event-stream", "data: 1\n\ndata: 2\n\n");
    expect(foreign).toEqual(says("fail", "events of another program"));
    const empty = await findingAboutStream("text/event-stream", "");
    expect(empty).toEqual(says("fail", "ended without an event"));
  });

  test("that cuts idle connections, and the second at which it does", async () => {
    const found = await behind({ idleMs: 400 }, { idleMs: 20_000, only: ["idle"] });
    for (const name of ["idle websocket", "idle event stream"]) {
      expect(found.get(name)).toEqual(says("fail", "was cut after 0."));
    }
  });

  test("that leaves idle connections alone, also of callers who signed in", async () => {
    const found = await behind(
      {},
      { app: signedIn, token: await tokenFor("ann"), idleMs: 300, only: ["idle"] },
    );
    expect(found.get("idle websocket")).toEqual(says("ok", "held 0."));
    expect(found.get("idle event stream")).toEqual(says("ok", "held 0."));
    const without = await behind({}, { app: signedIn, idleMs: 300, only: ["idle"] });
    expect(without.get("idle websocket")).toEqual(says("skip", "JOBWIRE_TOKEN"));
    expect(without.get("idle event stream")).toEqual(says("skip", "JOBWIRE_TOKEN"));
  });

  test("that sends the requests of a session to two servers", async () => {
    const proxy = await openProxy([open.url, other.url]);
    expect((await doctor(proxy, { only: ["polling"] })).get("polling")).toEqual(
      says("fail", "does not know it"),
    );
  });

  test("that replaces Host", async () => {
    const found = await behind({ host: "localhost:1" }, { only: WEBSOCKETS });
    expect(found.get("websocket from the own page")).toEqual(
      says("fail", "may not use this server"),
    );
    const unknown = await behind({ host: "backend" });
    expect(unknown.get("address")).toMatchObject({
      verdict: "fail",
      found: expect.stringContaining('Host "backend" is not allowed') as string,
      remedy: expect.stringContaining("sends another Host than 127.0.0.1") as string,
    });
    expect(verdicts(unknown, "skip")).toEqual(["the rest"]);
  });

  test("that takes no large bodies and no long addresses", async () => {
    const found = await behind(
      { maxBodyBytes: 2 ** 20, maxAddressChars: 4096 },
      { only: ["large body", "long address"] },
    );
    expect(found.get("large body")).toEqual(says("warn", "413"));
    expect(found.get("long address")).toEqual(says("warn", "414"));
  });

  test("that caches the page or the health check", async () => {
    const cached = await behind(
      {
        answerHeaders: (headers, path) =>
          void (path !== "/healthz" && (headers["x-cache"] = "HIT")),
      },
      { only: ["caches"] },
    );
    expect(cached.get("caches")).toEqual(says("fail", "answers for / and /trpc/system.info"));
    const changed = await behind({
      answerHeaders: (headers) => void (headers["cache-control"] = "public, max-age=60"),
      answers: (path) =>
        path === "/"
          ? { status: 200, headers: { "cache-control": "max-age=60" }, body: "" }
          : undefined,
    });
    expect(changed.get("caches")).toEqual(says("warn", "max-age=60"));
  });

  test("that changes or removes the cookie of a sign-in", async () => {
    const token = await tokenFor("ann");
    const cookieOf = async (faults: Faults) =>
      (await behind(faults, { app: signedIn, token, only: ["sign-in cookie"] })).get(
        "sign-in cookie",
      );
    expect(await cookieOf(changingCookies(() => undefined))).toEqual(says("fail", "no Set-Cookie"));
    expect(await cookieOf(changingCookies((text) => text.replace("Path=/", "Path=/app")))).toEqual(
      says("fail", "rewrites it"),
    );
    expect(await cookieOf({ requestHeaders: (headers) => void delete headers.cookie })).toEqual(
      says("fail", "does not count"),
    );
    expect(
      await cookieOf({ ...changingCookies((text) => text.replace("; Secure", "")), tls: pair }),
    ).toBeUndefined();
  });

  test("that answers redirects, or that has no server, or is another program", async () => {
    const redirected = await behind(answering(301, "https://jobs.example.com/"));
    expect(redirected.get("address")).toEqual(says("fail", "https://jobs.example.com/"));
    expect(verdicts(redirected, "skip")).toEqual(["the rest"]);
    expect((await behind(answering(502))).get("address")).toEqual(says("fail", "502"));
    expect((await behind(answering(200))).get("address")).toEqual(says("fail", "nginx"));
  });

  test.each([
    [401, "sign-in of its own"],
    [403, "refuses it"],
    [429, "Wait"],
    [503, "has none that is"],
  ])("that answers everything but the health checks with %i itself", async (status, remedy) => {
    const faults: Faults = {
      answers: (path) =>
        /^\/(health|ready)z$/.test(path) ? undefined : { status, body: "<html>" },
    };
    const given = { app: signedIn, token: await tokenFor("ann") };
    const names = ["version", "polling", "event stream", "sign-in cookie"];
    const found = await behind(faults, { ...given, only: [...names, "long address"] });
    for (const name of names) {
      expect([name, found.get(name)?.remedy]).toEqual([
        name,
        expect.stringContaining(remedy) as string,
      ]);
    }
    expect(found.get("long address")?.verdict).toBe("warn");
  });

  test("that keeps the health check from clients", async () => {
    for (const status of [401, 403, 404, 200]) {
      const body = "<html>";
      const answers: Faults["answers"] = (path) =>
        path === "/healthz" ? { status, body } : undefined;
      const found = await behind({ answers }, { only: ["version"] });
      expect(found.get("address")).toEqual(says("warn", `answered ${status}`));
      expect(found.get("version")?.verdict).toBe("ok");
    }
  });

  test("that refuses upgrades of pages, which is no matter of CORS_ORIGINS", async () => {
    const origin = "https://app.example.com";
    const answersUpgrade = { status: 502, body: "<title>502 Bad Gateway</title>" };
    const found = await behind({ answersUpgrade }, { origin, only: ["origin"] });
    expect(found.get("origin http")?.verdict).toBe("ok");
    expect(found.get("origin websocket")).toMatchObject({
      verdict: "fail",
      remedy: expect.stringContaining("cannot reach the server") as string,
    });
  });

  test("that removes the credentials", async () => {
    const faults: Faults = { requestHeaders: (headers) => void delete headers.authorization };
    const given = { app: signedIn, token: await tokenFor("ann") };
    const found = await behind(faults, { ...given, only: ["version", "event stream"] });
    for (const name of ["version", "event stream"]) {
      expect(found.get(name)).toMatchObject({
        verdict: "fail",
        remedy: expect.stringContaining("removes Authorization") as string,
      });
    }
  });

  test("that passes on refusals which are not about the token", async () => {
    for (const [code, doc] of [
      ["RATE_LIMITED", "docs/troubleshooting.md#429"],
      ["UNAVAILABLE", "docs/operations.md#jobwire-not-ready"],
    ] as const) {
      for (const token of [undefined, await tokenFor("ann")]) {
        const only = ["version", "event stream"];
        const found = await behind(refusing(code), { app: signedIn, token, only });
        for (const name of only) {
          expect(found.get(name)).toMatchObject({
            verdict: "fail",
            found: expect.stringContaining("the call is refused: Not now.") as string,
            doc,
          });
        }
      }
    }
  });

  test("that keeps the sessions of polling in a cache", async () => {
    const answered = new Map<string, { status: number; body: string }>();
    const first = await fetch(`${open.url}/socket.io/?EIO=4&transport=polling`);
    answered.set("/socket.io/?EIO=4&transport=polling", { status: 200, body: await first.text() });
    const found = await behind({ answers: (path) => answered.get(path) }, { only: ["polling"] });
    expect(found.get("polling")).toEqual(says("fail", "with the same id"));
  });

  test("that passes only some of the paths on", async () => {
    expect((await behind(missing("/trpc"), { only: ["version"] })).get("version")).toEqual(
      says("fail", "404"),
    );
    expect((await behind(missing("/socket.io"), { only: ["polling"] })).get("polling")).toEqual(
      says("fail", "404"),
    );
    expect((await behind(missing("/readyz"), { only: ["readiness"] })).get("readiness")).toEqual(
      says("warn", "404"),
    );
  });

  test("that says a server is not ready, or has no worker", async () => {
    const stopping = await behind(
      readyzAnswers(503, { status: "unavailable", reason: "It stops." }),
      {
        only: ["readiness"],
      },
    );
    expect(stopping.get("readiness")).toEqual(says("fail", "It stops."));
    // Other checks would fail through no fault of the proxy.
    expect(verdicts(stopping, "skip")).toEqual(["the rest"]);
    const none = await behind(readyzAnswers(502, {}));
    expect(none.get("readiness")).toMatchObject({
      verdict: "fail",
      remedy: "The proxy cannot reach the server.",
    });
    const idle = await behind(
      readyzAnswers(200, { status: "ready", workers: 0, note: "No worker." }),
      {
        only: ["readiness"],
      },
    );
    expect(idle.get("readiness")).toEqual(says("warn", "No worker."));
  });
});

describe("TLS", () => {
  test("with a certificate that is trusted by --ca: the token is sent, and the cookie is Secure", async () => {
    const token = await tokenFor("ann");
    const found = await behind(
      { tls: pair },
      { app: signedIn, token, trusted: trusting(pair.cert) },
    );
    expect(found.get("certificate")).toEqual(says("ok", "good for 29 more days"));
    expect(verdicts(found, "fail")).toEqual([]);
    expect(found.get("sign-in cookie")?.verdict).toBe("ok");
    const stripped = await behind(
      { tls: pair, ...changingCookies((text) => text.replace("; Secure", "")) },
      { app: signedIn, token, trusted: trusting(pair.cert), only: ["sign-in cookie"] },
    );
    expect(stripped.get("sign-in cookie")).toEqual(says("fail", "no Secure"));
  });

  test("with one that is not trusted: the rest is checked, and no token is sent", async () => {
    const seen: unknown[] = [];
    const found = await behind(
      { tls: pair, requestHeaders: ({ authorization }) => void seen.push(authorization) },
      { app: signedIn, token: "secret-token" },
    );
    expect(found.get("certificate")).toEqual(says("fail", "DEPTH_ZERO_SELF_SIGNED_CERT"));
    expect(found.get("token")?.verdict).toBe("skip");
    expect(found.get("websocket trpc")?.verdict).toBe("ok");
    expect(seen.length).toBeGreaterThan(5);
    expect(new Set(seen)).toEqual(new Set([undefined]));
  });

  test("with one for another name, with one that ends soon, and without any", async () => {
    const at = async (url: string, ca = pair.cert, now = new Date()) =>
      (
        await checkPeerCertificate(
          { url: new URL(url), trusted: trusting(ca) },
          now,
          AbortSignal.timeout(60_000),
        )
      ).finding;
    const proxy = await openProxy([open.url], { tls: pair });
    const later = new Date(Date.now() + 25 * 24 * 3_600_000);
    expect(await at(proxy, pair.cert, later)).toEqual(says("warn", "good for 4 more days"));
    const elsewhere = await createPair({ names: "DNS:jobs.example.com" });
    const named = await openProxy([open.url], { tls: elsewhere });
    expect(await at(named, elsewhere.cert)).toEqual(says("fail", "ERR_TLS_CERT_ALTNAME_INVALID"));
    expect(await at(open.url.replace("http:", "https:"))).toEqual(says("fail", "no TLS"));
  });
});

test("a clock that differs is told by the header Date", () => {
  const answer = {
    status: 200,
    headers: { date: "Mon, 30 Nov 2026 20:00:00 GMT" },
    body: "",
    ms: 0,
  };
  const at = (time: string) => checkClock(answer, new Date(`2026-11-30T${time}Z`));
  expect(at("20:00:01").verdict).toBe("ok");
  expect(at("20:00:10")).toEqual(says("warn", "10 s behind"));
  expect(at("19:50:00")).toEqual(says("fail", "600 s ahead of"));
  expect(
    checkClock({ ...answer, headers: { ...answer.headers, age: "9" } }, new Date()).verdict,
  ).toBe("skip");
  expect(checkClock({ ...answer, headers: {} }, new Date()).verdict).toBe("skip");
});

test("an address where nothing listens is one finding", async () => {
  const found = await doctor(`http://127.0.0.1:${await freePort()}`);
  expect(found.get("address")).toEqual(says("fail", "ECONNREFUSED"));
  expect([...found.keys()]).toEqual(["address", "the rest"]);
});

test("a server below a path is found there, and its address without the path is told from it", async () => {
  const below: TestData = await newTestData();
  const app = await createApp(loadConfig({ ...below.env, ...ENV, BASE_PATH: "/jobs" }), { log });
  onTestFinished(async () => {
    await app.close();
    await below.remove();
  });
  const proxy = await openProxy([new URL(app.url).origin], {
    answers: (path) => (path.startsWith("/jobs/") ? undefined : { status: 404, body: "nginx" }),
  });
  expect(
    verdicts(await doctor(`${proxy}/jobs/`, { only: [...WEBSOCKETS, "version"] }), "fail"),
  ).toEqual([]);
  expect((await doctor(proxy)).get("address")).toMatchObject({
    found: "/healthz answered 404: nginx",
    remedy: expect.stringContaining("name the path") as string,
  });
});

test("a server that accepts connections and says nothing is given up", async () => {
  const ended = new AbortController();
  const server = createSocketServer(() => ended.abort()).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const { findings, checks } = await remoteChecks(
    { url, idleMs: 0, now: () => new Date() },
    ended.signal,
  );
  expect(findings[0]).toEqual(says("fail", "no answer comes"));
  expect(checks).toEqual([]);
});

test("a server that answers nonsense without end is given up", async () => {
  const server = createServer((_req, res) => {
    res.writeHead(200, { "content-type": "application/json" });
    const more = () => {
      while (!res.destroyed && res.write("\u001b[2J".repeat(10_000)));
    };
    res.on("drain", more);
    more();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const found = await doctor(`http://127.0.0.1:${port}`);
  expect(found.get("address")?.verdict).toBe("fail");
});
