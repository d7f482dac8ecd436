/** Random requests to every route of the API: each is answered, none with a fault of the server, and others go on. */
import { request as send } from "node:http";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { openApiServer } from "#test/transports/api.fixture.ts";
import { timesOf } from "#test/long-run.ts";
import { fieldsOf } from "./input-fields.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import { ROUTES_OF_API } from "./routes.ts";

/** Streams have no end: their status is enough. */
const ENOUGH_BYTES = 64 * 1024;

const text = fc.string({ unit: "binary", maxLength: 30 });
/** Field names of all routes, so that known ones come with values that do not fit them. */
const NAMES = [
  ...new Set(
    ROUTES_OF_API.flatMap(({ method, path, answer, stream }) =>
      [answer?.input, stream?.input].flatMap((input) =>
        input === undefined
          ? []
          : (fieldsOf({ method, path }, input) ?? []).map(({ name }) => name),
      ),
    ),
  ),
  "__proto__",
  "toJSON",
  "then",
];
const name = fc.constantFrom(...NAMES);
const value = fc.oneof(
  { depthSize: "small", withCrossShrink: true },
  fc.constantFrom(null, "", 0, -1, 1e308, true, [], {}, "0", "NaN", "1e9", "local", "waits"),
  fc.uuid(),
  text,
  fc.jsonValue({ maxDepth: 3 }),
);
const object = fc.dictionary(name, value, { maxKeys: 6 });

/** Characters that a header may have. */
const headerText = fc
  .string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((n) => String.fromCharCode(n)),
    maxLength: 40,
  })
  .map((each) => each.replaceAll("\u007F", "").trim());
const headers = fc.record(
  {
    "content-type": fc.oneof(
      { weight: 5, arbitrary: fc.constant("application/json") },
      fc.constantFrom("text/plain", "application/json; charset=utf-16", "multipart/form-data", ""),
      headerText,
    ),
    accept: fc.constantFrom("*/*", "application/json", "text/event-stream", "image/png", "q=0;,"),
    "idempotency-key": headerText,
    "last-event-id": fc.oneof(fc.constantFrom("0", "1.end", "-1", "9".repeat(40)), headerText),
    authorization: fc.oneof(fc.constantFrom("Bearer", "Bearer x", "Basic eDp5"), headerText),
    "accept-encoding": fc.constantFrom("gzip", "deflate", "br;q=0", "*;q=2"),
    range: fc.constant("bytes=0-1"),
    "x-http-method-override": fc.constant("DELETE"),
  },
  { requiredKeys: [] },
);

const asked = fc.record({
  route: fc.constantFrom(...ROUTES_OF_API),
  method: fc.option(fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), {
    nil: undefined,
    freq: 4,
  }),
  parameter: fc.oneof(
    fc.uuid(),
    text.map(encodeURIComponent),
    fc.constantFrom("%", "..%2f", "%00"),
  ),
  query: fc.dictionary(name, fc.oneof(text, fc.constantFrom("1", "true", "null")), { maxKeys: 4 }),
  headers,
  body: fc.oneof(
    { weight: 6, arbitrary: object.map((each) => JSON.stringify(each)) },
    value.map((each) => JSON.stringify(each)),
    text,
    fc.constantFrom(undefined, "{", "[".repeat(5000), '{"a":1,"a":2}', "\uFEFF{}"),
  ),
});

interface Answer {
  status: number;
  type: string;
  body: string;
}

/** `fetch` would refuse much of what a client can send. */
function ask(
  url: string,
  path: string,
  options: { method: string; headers: object; body?: string | undefined },
) {
  return new Promise<Answer>((resolve, reject) => {
    const call = send(url, {
      method: options.method,
      path,
      headers: { ...options.headers, connection: "close" },
    });
    call.once("error", reject);
    call.once("response", (response) => {
      const { statusCode: status = 0, headers: given } = response;
      const type = given["content-type"] ?? "";
      let body = "";
      const end = () => {
        resolve({ status, type, body });
        call.destroy();
      };
      if (type.startsWith("text/event-stream")) return end();
      response.setEncoding("latin1").on("data", (part: string) => {
        body += part;
        if (body.length > ENOUGH_BYTES) end();
      });
      response.once("end", end).once("error", end);
    });
    call.end(options.body);
  });
}

const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
});

test("[N3] [H10] whatever is sent to whichever route is answered, and no fault of the server's", async () => {
  const { url } = await openApiServer();
  await fc.assert(
    fc.asyncProperty(
      asked,
      async ({ route, method = route.method, parameter, query, ...given }) => {
        const path = route.path.replaceAll(/\{\w+\}/g, () => parameter);
        const search = new URLSearchParams(query).toString();
        const hasBody = method !== "GET" && method !== "HEAD" && given.body !== undefined;
        const answer = await ask(url, `/api/v1${path}${search === "" ? "" : `?${search}`}`, {
          method,
          headers: given.headers,
          ...(hasBody && { body: given.body }),
        });
        expect(answer.status).toBeGreaterThanOrEqual(200);
        expect(answer.status).toBeLessThan(500);
        if (answer.status < 400 || method === "HEAD") return;
        expect(answer.type).toContain(PROBLEM_TYPE);
        expect(Problem.parse(JSON.parse(answer.body)).status).toBe(answer.status);
      },
    ),
    { numRuns: timesOf(400, 4000) },
  );
  const after = await fetch(`${url}/api/v1/system`);
  expect(after.status).toBe(200);
}, 300_000);
