/** Each check of the machine of a server, failing for real. */
import { chmodSync } from "node:fs";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import type { Finding } from "#shared/finding.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { createPair, type TestPair, tlsEnv, writePair } from "#test/tls/certificate.fixture.ts";
import { runChecks } from "./check.ts";
import { checkNode, checkOpenFiles } from "./local/process.ts";
import { localChecks } from "./local-checks.ts";

const SECRET = "a secret of the tests that has 32 bytes";

let data: TestData;
let pair: TestPair;
beforeAll(async () => {
  pair = await createPair({ days: 90 });
});
beforeEach(async () => {
  data = await newTestData();
});
afterEach(() => data.remove());

async function doctor(
  env: Record<string, string> = {},
  { now = () => new Date() } = {},
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const all = { ...data.env, PORT: "0", ...env };
  await runChecks(localChecks(all, now), (finding) => findings.push(finding));
  return findings;
}

const says = (check: string, verdict: Finding["verdict"], text: string) =>
  expect.objectContaining({
    check,
    verdict,
    found: expect.stringContaining(text) as string,
  }) as Finding;

test("a machine on which all is well has no failure", async () => {
  const findings = await doctor();
  expect(findings.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  expect(findings).toContainEqual(says("configuration", "ok", "is valid"));
  expect(findings).toContainEqual(says("control socket", "ok", "no server runs"));
});

describe("the configuration", () => {
  test.each([
    [{ CONCURRENCY: "many" }, "fail", "CONCURRENCY"],
    [{ CONCURENCY: "5" }, "fail", "did you mean CONCURRENCY?"],
    [{ HOST: "0.0.0.0" }, "fail", "it does not ask who they are"],
    [{ ROLE: "worker" }, "fail", "needs REDIS_URL"],
    [{ TLS_CERT_FILE: "/x" }, "fail", "needs TLS_KEY_FILE"],
    [{ HOST: "0.0.0.0", ALLOW_ANONYMOUS: "true" }, "warn", "every caller"],
    [{ PING_INTERVAL_MS: "120000" }, "warn", "longer than most proxies wait"],
    [{ LOG_LEVEL: "silent" }, "warn", "will not say why"],
    [{ JOBWIRE_DATA_DIR: "/srv" }, "warn", "did you mean DATA_DIR?"],
    [{ JOBWIRE_COLOUR: "red" }, "warn", "JOBWIRE_COLOUR has no effect"],
    [{ OTEL_TRACES_EXPORTER: "zipkin" }, "fail", "Jobwire has otlp and none"],
    [{ OTEL_TRACES_EXPORTER: "zipkin", CONCURRENCY: "many" }, "fail", "Jobwire has otlp and none"],
  ] as const)("%j is told", async (env, verdict, text) => {
    expect(await doctor({ ...env })).toContainEqual(says("configuration", verdict, text));
  });

  test("has all its faults told at once, and no secret", async () => {
    const findings = await doctor({
      AUTH_JWT_SECRET: "too-short-secret",
      REDIS_URL: "redes://:hunter22@localhost",
      PORT: "eighty",
    });
    const told = findings.filter(({ check }) => check === "configuration");
    expect(new Set(told.map(({ found }) => found.split("=")[0]))).toEqual(
      new Set(["AUTH_JWT_SECRET", "PORT", "REDIS_URL"]),
    );
    expect(JSON.stringify(findings)).not.toMatch(/hunter22|too-short/);
    expect(findings.at(-1)).toMatchObject({ check: "data", verdict: "skip" });
  });

  test("that is fine with a sign-in, is", async () => {
    const findings = await doctor({ HOST: "0.0.0.0", AUTH_JWT_SECRET: SECRET });
    expect(findings).toContainEqual(says("configuration", "ok", "is valid"));
  });
});

test("an old Node, and too few open files, are told", () => {
  expect(checkNode("22.1.0")).toEqual(says("node", "fail", "Jobwire needs Node"));
  expect(checkOpenFiles(10_000, 1024)).toEqual(says("open files", "warn", "1024 allowed"));
  expect(checkOpenFiles(10_000, 20_000).verdict).toBe("ok");
  expect(checkOpenFiles(10_000, Infinity).verdict).toBe("ok");
});

describe("the port", () => {
  test("that another program uses is told", async () => {
    const server = createHttpServer((_req, res) => res.end("other")).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await doctor({ PORT: String(port) })).toContainEqual(
      says("port", "fail", "in use by another program"),
    );
  });

  test("that a running Jobwire uses is its own, with TLS too, and its data are open in it", async () => {
    const env = { ...data.env, ...tlsEnv(await writePair(pair)), PORT: String(await freePort()) };
    const app = await createApp(loadConfig(env), { log: pino({ level: "silent" }) });
    onTestFinished(async () => void (await app.close()));
    const findings = await doctor(env);
    expect(findings).toContainEqual(says("port", "ok", "in use by a running Jobwire of version"));
    expect(findings).toContainEqual(says("control socket", "ok", "a running server answers"));
    expect(findings).toContainEqual(says("database", "ok", "is open in a running server"));
    const signed = await doctor({ ...env, AUTH_API_KEYS: "true" });
    expect(signed).toContainEqual(says("port", "ok", "in use by a running Jobwire"));
  });

  test("of the metrics is told too, also where it is that of the server", async () => {
    const server = createHttpServer((_req, res) => res.end("other")).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const taken = String((server.address() as AddressInfo).port);
    const found = (await doctor({ METRICS_PORT: taken })).find(
      ({ check }) => check === "metrics port",
    );
    expect(found).toMatchObject({
      verdict: "fail",
      remedy: "Stop it, or choose another port with METRICS_PORT.",
    });
    const [PORT, METRICS_PORT] = [String(await freePort()), String(await freePort())];
    expect(await doctor({ PORT, METRICS_PORT: PORT })).toContainEqual(
      says("metrics port", "fail", "as PORT is"),
    );
    const env = { ...data.env, PORT, METRICS_PORT };
    const app = await createApp(loadConfig(env), { log: pino({ level: "silent" }) });
    onTestFinished(async () => void (await app.close()));
    expect(await doctor(env)).toContainEqual(says("metrics port", "ok", "by a running Jobwire"));
  });

  test("at an address that this machine does not have is told", async () => {
    const port = String(await freePort());
    expect(await doctor({ HOST: "192.0.2.1", PORT: port, AUTH_JWT_SECRET: SECRET })).toContainEqual(
      says("port", "fail", "names no address of this machine"),
    );
  });
});

describe("the certificate", () => {
  const DAY_MS = 24 * 3_600_000;

  test.each([
    [0, "ok", "valid until"],
    [85, "warn", "valid until"],
    [100, "fail", "expired on"],
    [-10, "fail", "is not valid before"],
  ] as const)("%i days later", async (days, verdict, text) => {
    const now = () => new Date(Date.now() + days * DAY_MS);
    const env = tlsEnv(await writePair(pair));
    expect(await doctor(env, { now })).toContainEqual(says("certificate", verdict, text));
  });

  test("with the key of another, or whose files are missing, is told", async () => {
    const other = await createPair();
    const mixed = await writePair({ cert: pair.cert, key: other.key });
    expect(await doctor(tlsEnv(mixed))).toContainEqual(
      says("certificate", "fail", "is not the key of"),
    );
    const missing = await doctor({ TLS_CERT_FILE: "/none/a.pem", TLS_KEY_FILE: "/none/b.pem" });
    const told = missing.filter(({ check }) => check === "certificate");
    expect(told).toEqual([
      says("certificate", "fail", "TLS_CERT_FILE"),
      says("certificate", "fail", "TLS_KEY_FILE"),
    ]);
  });
});

/** Serves these documents, by path. */
async function provide(answers: Record<string, object>): Promise<string> {
  const server = createHttpServer(({ url = "" }, res) => {
    const body = answers[url];
    res.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
    res.end(JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const oidc = (issuer: string) => ({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: "jobwire",
  OIDC_CLIENT_SECRET: "a secret of the tests",
  PUBLIC_URL: "http://localhost:8000",
  AUTH_DEFAULT_TENANT: "acme",
});

describe("the identity provider", () => {
  test("that describes itself is fine, and one that does not is told", async () => {
    const answers: Record<string, object> = {};
    const issuer = await provide(answers);
    expect(await doctor(oidc(issuer))).toContainEqual(
      says("sign-in provider", "fail", "cannot be used"),
    );
    answers["/.well-known/openid-configuration"] = { issuer };
    expect(await doctor(oidc(issuer))).toContainEqual(
      says("sign-in provider", "ok", "describes itself"),
    );
    answers["/.well-known/openid-configuration"] = { issuer: "http://else.example.com" };
    expect(await doctor(oidc(issuer))).toContainEqual(
      says("sign-in provider", "fail", "cannot be used"),
    );
  });

  test("whose keys cannot be read is told", async () => {
    const url = await provide({ "/keys": { keys: [{}] }, "/none": { keys: [] } });
    const keys = async (path: string) =>
      (
        await doctor({
          AUTH_JWKS_URL: url + path,
          AUTH_ISSUER: "https://login.example.com",
          AUTH_AUDIENCE: "jobwire",
        })
      ).find(({ check }) => check === "token keys");
    expect(await keys("/keys")).toEqual(says("token keys", "ok", "has 1"));
    expect(await keys("/none")).toEqual(says("token keys", "fail", "has no keys"));
    expect(await keys("/absent")).toEqual(says("token keys", "fail", "answers 404"));
  });
});

test("a data directory that others may read is told, with the command", async () => {
  chmodSync(data.env.DATA_DIR, 0o755);
  expect(await doctor()).toContainEqual(says("data directory", "warn", "mode 0755"));
});

test("a control socket is not wanted where its path would be too long, and the finding says so", async () => {
  const long = `${data.env.DATA_DIR}/${"x".repeat(120)}`;
  expect(await doctor({ DATA_DIR: long })).toContainEqual(
    says("control socket", "warn", "There is no control socket"),
  );
});
