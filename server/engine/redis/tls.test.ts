import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { freePort } from "#test/free-port.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

const run = promisify(execFile);
const OPEN = fileURLToPath(new URL("open.ts", import.meta.url));
/** Opens the engine and stores a job. Returns its title, or the error. */
const PROGRAM = `
  const { openRedisEngine } = await import(${JSON.stringify(OPEN)});
  try {
    const engine = await openRedisEngine({ url: process.env.REDIS_URL });
    const job = { id: crypto.randomUUID(), kind: "k", title: "Over TLS", tenant: "t", owner: "o" };
    const stored = await engine.createJob({ ...job, input: null, batchId: null }, new Date());
    console.log(stored.title);
    await engine.close();
  } catch (error) {
    console.log(error.code, error.message);
  }
`;

let dir: string;
let cert: string;
let redis: TestRedis;
let tlsPort: number;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "jobwire-tls-"));
  cert = join(dir, "cert.pem");
  const key = join(dir, "key.pem");
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const files = ["-keyout", key, "-out", cert, "-days", "2"];
  await run(inject("openssl"), [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    ...files,
    ...subject,
  ]);
  tlsPort = await freePort();
  redis = await startRedis(inject("redisServer"), {
    args: `--tls-port ${tlsPort} --tls-auth-clients no --tls-cert-file ${cert} --tls-key-file ${key} --tls-ca-cert-file ${cert}`.split(
      " ",
    ),
  });
});
afterAll(async () => {
  await redis.close();
  await rm(dir, { recursive: true });
});

async function open(env: Record<string, string>): Promise<string> {
  const args = ["--input-type=module", "--eval", PROGRAM];
  const url = `rediss://localhost:${tlsPort}`;
  const { stdout } = await run(process.execPath, args, { env: { REDIS_URL: url, ...env } });
  return stdout.trim();
}

test("rediss:// uses TLS with a Redis whose certificate is trusted", async () => {
  expect(await open({ NODE_EXTRA_CA_CERTS: cert })).toBe("Over TLS");
});

test("rediss:// refuses a Redis whose certificate is not trusted", async () => {
  expect(await open({})).toMatch(/^DATA_UNUSABLE Redis at rediss:.* refuses the connection/);
});
