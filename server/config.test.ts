import { describe, expect, expectTypeOf, test } from "vitest";
import { key, type Variables, wholeNumber } from "#shared/variables.ts";
import { ConfigError, loadConfig, VARIABLES } from "./config.ts";

function linesOf(env: Record<string, string>, own: Variables = {}): readonly string[] {
  try {
    loadConfig(env, own);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

test("without any variable, each has its default", () => {
  const defaults = {
    PORT: 8000,
    HOST: "127.0.0.1",
    FRONTEND_URL: ["http://localhost:3000"],
    CORS_ORIGINS: [],
    ALLOWED_HOSTS: [],
    BASE_PATH: "",
    AUTH_TENANT_CLAIM: "tenant",
    AUTH_SIGN_IN_IDLE_HOURS: 24,
    AUTH_COOKIE_SAMESITE: "lax",
    AUTH_SIGN_IN_DAYS: 7,
    TRUST_PROXY: { hops: 0 },
    LIMIT_ADDRESS_CONNECTIONS: 1000,
    LIMIT_ADDRESS_UNAUTHENTICATED: 100,
    LIMIT_ADDRESS_FAILED_SIGN_INS: 30,
    LIMIT_USER_CONNECTIONS: 1000,
    LIMIT_USER_CALLS: 100,
    LIMIT_USER_SUBSCRIPTIONS: 10_000,
    LIMIT_TENANT_WAITING_JOBS: 100_000,
    LIMIT_TENANT_CREATED_JOBS: 20_000,
    LIMIT_TENANT_BYTES: 10 * 1024 ** 3,
    DATA_DIR: "./data",
    ROLE: "all",
    REDIS_PREFIX: "jobwire",
    CONCURRENCY: 10,
    TENANT_WEIGHTS: new Map(),
    MAX_ATTEMPTS: 3,
    LEASE_MS: 30_000,
    WORK_MAX_LEASE_MS: 600_000,
    SHUTDOWN_GRACE_MS: 10_000,
    HANDOVER_MS: 5000,
    OIDC_GRANTS: ["jobs:read", "jobs:write", "jobs:review"],
    OIDC_SCOPES: "openid",
    PING_INTERVAL_MS: 25_000,
    PRESENCE_HEARTBEAT_MS: 10_000,
    PING_TIMEOUT_MS: 60_000,
    SEND_BUFFER_BYTES: 262_144,
    STALL_TIMEOUT_MS: 60_000,
    COMPRESSION: true,
    REQUEST_TIMEOUT_MS: 120_000,
    MAX_CONNECTIONS: 10_000,
    ALLOW_EIO3: false,
    ALLOW_ANONYMOUS: false,
    LOG_LEVEL: "info",
    RETENTION_DAYS: 90,
    AUDIT_DAYS: 90,
  };
  expect(loadConfig({})).toEqual(defaults);
  const empty = Object.fromEntries(Object.keys(VARIABLES).map((name) => [name, ""]));
  expect(loadConfig(empty)).toEqual(defaults);
});

test.each([
  ["PORT", "0", 0],
  ["PORT", "65535", 65_535],
  ["HOST", "0.0.0.0", "0.0.0.0"],
  ["FRONTEND_URL", "https://app.example.com/", ["https://app.example.com"]],
  [
    "CORS_ORIGINS",
    " https://*.example.com , http://[::1]:3000,",
    ["https://*.example.com", "http://[::1]:3000"],
  ],
  [
    "ALLOWED_HOSTS",
    " jobs.example.com , *.example.com:8000,gateway_1,10.0.0.5,[fd00::1]:80,",
    ["jobs.example.com", "*.example.com:8000", "gateway_1", "10.0.0.5", "[fd00::1]:80"],
  ],
  ["BASE_PATH", "/jobs/", "/jobs"],
  ["BASE_PATH", "/", ""],
  ["REQUEST_TIMEOUT_MS", "1000", 1000],
  ["MAX_CONNECTIONS", "1", 1],
  [
    "CORS_ORIGINS",
    "null, capacitor://localhost,tauri://localhost,chrome-extension://abcdefghijklmnop",
    ["null", "capacitor://localhost", "tauri://localhost", "chrome-extension://abcdefghijklmnop"],
  ],
  [
    "CORS_ORIGINS",
    "https://bücher.example/, https://*.Köln.example:8443",
    ["https://xn--bcher-kva.example", "https://*.xn--kln-sna.example:8443"],
  ],
  ["FRONTEND_URL", "http://bücher.example", ["http://xn--bcher-kva.example"]],
  // In the form that browsers send.
  ["CORS_ORIGINS", "NULL, Null", ["null", "null"]],
  [
    "CORS_ORIGINS",
    "HTTPS://App.Example.COM, Capacitor://LocalHost, safari-web-extension://1A-2B",
    ["https://app.example.com", "capacitor://localhost", "safari-web-extension://1a-2b"],
  ],
  [
    "CORS_ORIGINS",
    "https://a.example.com:443,http://a.example.com:80/,https://*.b.example.com:0443,http://[::1]:80",
    ["https://a.example.com", "http://a.example.com", "https://*.b.example.com", "http://[::1]"],
  ],
  [
    "CORS_ORIGINS",
    "https://a.example.com:80,http://a.example.com:443,http://localhost:03000,app://localhost:080",
    [
      "https://a.example.com:80",
      "http://a.example.com:443",
      "http://localhost:3000",
      "app://localhost:80",
    ],
  ],
  [
    "CORS_ORIGINS",
    "http://[0:0:0:0:0:0:0:1]:3000,http://127.1:3000,http://my_app:3000,http://any.example.com",
    ["http://[::1]:3000", "http://127.0.0.1:3000", "http://my_app:3000", "http://any.example.com"],
  ],
  [
    "CORS_ORIGINS",
    "file://,file:///,app://.,app://./,app://-,ionic://localhost",
    ["file://", "file://", "app://.", "app://.", "app://-", "ionic://localhost"],
  ],
  ["FRONTEND_URL", "HTTPS://App.example.com:443", ["https://app.example.com"]],
  ["ALLOWED_HOSTS", "jobs.example.com:0443,[::1]:0080", ["jobs.example.com:443", "[::1]:80"]],
  [
    "ALLOWED_HOSTS",
    "bücher.example, *.köln.example:80, gateway_1, [::1]:80",
    ["xn--bcher-kva.example", "*.xn--kln-sna.example:80", "gateway_1", "[::1]:80"],
  ],
  ["DATA_DIR", "/var/lib/job wire", "/var/lib/job wire"],
  ["CONCURRENCY", "1", 1],
  [
    "TENANT_WEIGHTS",
    " acme=3, globex = 2,a=b=100,Müller & Co=1",
    new Map([
      ["acme", 3],
      ["globex", 2],
      ["a=b", 100],
      ["Müller & Co", 1],
    ]),
  ],
  ["MAX_ATTEMPTS", "100", 100],
  ["LEASE_MS", "1000", 1000],
  ["WORK_MAX_LEASE_MS", "86400000", 86_400_000],
  ["SHUTDOWN_GRACE_MS", "0", 0],
  ["HANDOVER_MS", "0", 0],
  ["PING_INTERVAL_MS", "1000", 1000],
  ["PRESENCE_HEARTBEAT_MS", "1000", 1000],
  ["PING_TIMEOUT_MS", "3600000", 3_600_000],
  ["ALLOW_EIO3", "1", true],
  ["ALLOW_EIO3", "true", true],
  ["ALLOW_EIO3", "false", false],
  ["LOG_LEVEL", "silent", "silent"],
  ["RETENTION_DAYS", "0", 0],
  ["ROLE", "all", "all"],
  [
    "REDIS_URL",
    "rediss://:secret@redis.example.com:6380/1",
    "rediss://:secret@redis.example.com:6380/1",
  ],
  ["REDIS_PREFIX", "staging.2", "staging.2"],
  ["NODE_NAME", "gateway-1", "gateway-1"],
])("%s=%j is accepted", (name, text, value) => {
  expect(loadConfig({ [name]: text })).toMatchObject({ [name]: value });
});

const number = (from: number, to: number) => `must be a whole number from ${from} to ${to}`;
test.each([
  ["PORT", "65536", number(0, 65_535)],
  ["PORT", "-1", number(0, 65_535)],
  ["PORT", "80.5", number(0, 65_535)],
  ["PORT", "0x50", number(0, 65_535)],
  ["PORT", "80 ", number(0, 65_535)],
  ["PORT", "9".repeat(60), number(0, 65_535)],
  ["FRONTEND_URL", "app.example.com", "must be origins separated by commas"],
  ["FRONTEND_URL", "https://app.example.com/page", "must be origins separated by commas"],
  ["CORS_ORIGINS", "*", "must be origins separated by commas"],
  ["CORS_ORIGINS", "https://*", "must be origins separated by commas"],
  ["CORS_ORIGINS", "https://a.*.com", "must be origins separated by commas"],
  ["CORS_ORIGINS", "null.example.com", "must be origins separated by commas"],
  ["CORS_ORIGINS", "capacitor:localhost", "must be origins separated by commas"],
  ["CORS_ORIGINS", "https://bü cher.example", "must be origins separated by commas"],
  ...[
    "http://localhost:99999",
    "https://*.example.com:65536",
    "capacitor://localhost:65536",
    "http://localhost:",
    "http://localhost:0x50",
    "https://app.example.com.",
    "https://a..example.com",
    "https://.example.com",
    "https://.",
    "https://",
    "https:app.example.com",
    "https://app.example.com//",
    "https://app%2eexample.com",
    "https://app.example.com?x",
    "http://1.2.3.4.5",
    "http://*.0.0.1",
    "http://[:::::]",
    "wss://app.example.com",
    "ws://localhost",
    "ftp://example.com",
    "app:///index.html",
    "file:///index.html",
    "capacitor://bücher",
    "nullable",
  ].flatMap((origin): [string, string, string][] => [
    ["CORS_ORIGINS", origin, "must be origins separated by commas"],
    ["FRONTEND_URL", origin, "must be origins separated by commas"],
  ]),
  [
    "CORS_ORIGINS",
    "https://a.example.com https://b.example.com",
    "must be origins separated by commas",
  ],
  ["REQUEST_TIMEOUT_MS", "999", number(1000, 3_600_000)],
  ["MAX_CONNECTIONS", "0", number(1, 1_000_000)],
  ["REDIS_URL", "http://localhost:6379", "must be a redis:// or rediss:// address"],
  ["REDIS_PREFIX", "a{b}", "must be letters, digits"],
  ["NODE_NAME", "a.b", "must be up to 40 letters, digits"],
  ["ROLE", "server", "must be all, gateway or worker"],
  ["ROLE", "worker", "needs REDIS_URL"],
  ["CONCURRENCY", "0", number(1, 1000)],
  ["CONCURRENCY", "1001", number(1, 1000)],
  ...[
    "acme",
    "acme=",
    "acme=0",
    "acme=101",
    "acme=-1",
    "acme=1.5",
    "acme=3 globex=2",
    "=3",
    "acme=1e2",
  ].map((weights): [string, string, string] => [
    "TENANT_WEIGHTS",
    weights,
    "must be tenants with their weights, whole numbers from 1 to 100",
  ]),
  ["MAX_ATTEMPTS", "0", number(1, 100)],
  ["LEASE_MS", "999", number(1000, 3_600_000)],
  ["WORK_MAX_LEASE_MS", "999", number(1000, 86_400_000)],
  ["SHUTDOWN_GRACE_MS", "10s", number(0, 3_600_000)],
  ["HANDOVER_MS", "5s", number(0, 3_600_000)],
  ["PING_INTERVAL_MS", "999", number(1000, 3_600_000)],
  ["PRESENCE_HEARTBEAT_MS", "999", number(1000, 3_600_000)],
  ["PING_TIMEOUT_MS", "Infinity", number(1000, 3_600_000)],
  ["ALLOW_EIO3", "yes", "must be true or false"],
  ["LOG_LEVEL", "verbose", "must be trace, debug, info, warn, error, fatal or silent"],
  ["RETENTION_DAYS", "1e3", number(0, 36_500)],
])("%s=%j is refused in one line that names the allowed values", (name, text, allowed) => {
  const lines = linesOf({ [name]: text });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`${name}=${JSON.stringify(text)} ${allowed}`);
});

test.each([
  "*",
  "*.",
  "a.*.example.com",
  "*.*.example.com",
  "https://jobs.example.com",
  "jobs.example.com/",
  "jobs.example.com.",
  "jobs.example.com:",
  "jobs.example.com:65536",
  "user@jobs.example.com",
  "jobs.example.com b.example.com",
  "a;b",
  "::1",
  "[::g]",
  "1.2.3.4.5",
])("ALLOWED_HOSTS=%j is refused in one line that names the allowed values", (text) => {
  expect(linesOf({ ALLOWED_HOSTS: text })).toEqual([
    expect.stringMatching(/^ALLOWED_HOSTS=".*" must be host names separated by commas, such as /),
  ]);
});

test.each(["jobs", "//jobs", "/a/../b", "/a b", "https://example.com/jobs"])(
  "BASE_PATH=%j is refused in one line",
  (text) => {
    expect(linesOf({ BASE_PATH: text })).toEqual([
      `BASE_PATH=${JSON.stringify(text)} must be a path such as /jobs`,
    ]);
  },
);

test("the message gives the number of the first tenant without a good weight, or that is named again", () => {
  expect(linesOf({ TENANT_WEIGHTS: "acme=3,globex" })).toEqual([
    expect.stringMatching(/^TENANT_WEIGHTS="acme=3,globex" must be [^]*; entry 2 is not so$/),
  ]);
  expect(linesOf({ TENANT_WEIGHTS: "acme=3,b=1,acme=3" })).toEqual([
    expect.stringMatching(/; entry 3 names a tenant again$/),
  ]);
});

test("[Q1] a thousand tenants have weights at most", () => {
  const all = Array.from({ length: 1001 }, (_, n) => `t${n}=2`);
  expect(loadConfig({ TENANT_WEIGHTS: all.slice(1).join(",") }).TENANT_WEIGHTS.size).toBe(1000);
  expect(linesOf({ TENANT_WEIGHTS: all.join(",") })).toEqual([
    expect.stringMatching(/ must have at most 1000 tenants; it has 1001$/),
  ]);
});

test("the message gives the number of the first invalid origin, and shows no passwords", () => {
  const text = "https://a.example.com,https://me:secret@b.example.com,x";
  expect(linesOf({ CORS_ORIGINS: text })).toEqual([
    expect.stringMatching(/^CORS_ORIGINS="…@b[^]* must be origins [^]*; entry 2 is not an origin$/),
  ]);
});

test("a long value is cut, and an emoji at the cut is omitted", () => {
  expect(linesOf({ LOG_LEVEL: `${"x".repeat(79)}🌱` })).toEqual([
    expect.stringContaining(`LOG_LEVEL="${"x".repeat(79)}…" must be trace`),
  ]);
});

test("every bad variable has its line, and the message shows them all", () => {
  expect(() => loadConfig({ PORT: "x", LOG_LEVEL: "loud", CONCURENCY: "3" })).toThrow(
    [
      "The configuration cannot be used:",
      `  PORT="x" ${number(0, 65_535)}`,
      '  LOG_LEVEL="loud" must be trace, debug, info, warn, error, fatal or silent',
      "  CONCURENCY is unknown; did you mean CONCURRENCY?",
    ].join("\n"),
  );
});

describe("variables that an application adds", () => {
  const own = {
    WORDS_LIMIT: { schema: wholeNumber(1, 9), default: "5", about: "Words." },
    WORDS_KEY: { schema: key, about: "A key." },
  } as const;

  test("have their values beside those of Jobwire, with types", () => {
    const config = loadConfig({ WORDS_KEY: "k", PORT: "1" }, own);
    expectTypeOf(config.WORDS_LIMIT).toEqualTypeOf<number>();
    expectTypeOf(config.WORDS_KEY).toEqualTypeOf<string | undefined>();
    expectTypeOf(config.PORT).toEqualTypeOf<number>();
    expect(config).toMatchObject({ WORDS_LIMIT: 5, WORDS_KEY: "k", PORT: 1 });
    expect(loadConfig({ WORDS_LIMIT: "x" })).not.toHaveProperty("WORDS_LIMIT");
  });

  test("are checked with those of Jobwire: a line for each bad value and each misspelt name", () => {
    const env = {
      PORT: "x",
      WORDS_LIMIT: "10",
      WORDS_KEY: "a b",
      WORDS_LIMITS: "1",
      DATA_DRI: ".",
    };
    expect(linesOf(env, own)).toEqual([
      `PORT="x" ${number(0, 65_535)}`,
      `WORDS_LIMIT="10" ${number(1, 9)}`,
      "WORDS_KEY=… must be a key without spaces in it",
      "WORDS_LIMITS is unknown; did you mean WORDS_LIMIT?",
      "DATA_DRI is unknown; did you mean DATA_DIR?",
    ]);
  });

  test("cannot be ones of Jobwire", () => {
    expect(() => loadConfig({}, { PORT: own.WORDS_LIMIT })).toThrow(
      "An application has a variable PORT, which is one of Jobwire's.",
    );
  });
});

describe("secrets", () => {
  test.each([
    ["REDIS_URL", "https://user:secret@redis.example.com:6379/0"],
    ["REDIS_URL", "redis.example.com:secret@6379"],
  ])("%s is refused, and its value is not shown", (name, text) => {
    const lines = linesOf({ [name]: text });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(name);
    expect(lines[0]).not.toMatch(/s.cret/);
  });

  test("a very long value is cut", () => {
    expect(linesOf({ ROLE: "x".repeat(5000) })[0]?.length).toBeLessThan(200);
  });
});

describe("names that look like ours misspelt", () => {
  test.each([
    ["CONCURENCY", "CONCURRENCY"],
    ["CONCURRENCYY", "CONCURRENCY"],
    ["CORS_ORIGIN", "CORS_ORIGINS"],
    ["DATA_DRI", "DATA_DIR"],
    ["data_dir", "DATA_DIR"],
    ["LOG-LEVEL", "LOG_LEVEL"],
  ])("%s is refused, and %s is named", (name, meant) => {
    expect(linesOf({ [name]: "1" })).toEqual([`${name} is unknown; did you mean ${meant}?`]);
  });

  test.each([
    "POST",
    "ROLES",
    "HOSTNAME",
    "PATH",
    "DATABASE_URL",
    "DATA_DIRECTORY",
    "LOG_LEVEL_FILE",
    "PORTS",
  ])("%s does not count as a misspelt variable", (name) => {
    expect(linesOf({ [name]: "1" })).toEqual([]);
  });

  test("one letter added, missing or replaced, or two swapped, counts as a misspelling of every long name", () => {
    for (const name of Object.keys(VARIABLES).filter(({ length }) => length >= 8)) {
      for (let at = 0; at < name.length; at++) {
        const variants = [
          `${name.slice(0, at)}Z${name.slice(at)}`,
          `${name.slice(0, at)}${name.slice(at + 1)}`,
          `${name.slice(0, at)}Z${name.slice(at + 1)}`,
          `${name.slice(0, at)}${name.charAt(at + 1)}${name.charAt(at)}${name.slice(at + 2)}`,
        ];
        for (const variant of variants.filter((each) => !(each in VARIABLES))) {
          expect(linesOf({ [variant]: "1" })).toEqual([
            expect.stringMatching(`^${variant} is unknown; did you mean [A-Z_0-9]+\\?$`),
          ]);
        }
      }
    }
  });
});
