import { X509Certificate } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { createPair } from "#test/tls/certificate.fixture.ts";
import { validityOf } from "./validity.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let long: X509Certificate;
let short: X509Certificate;
beforeAll(async () => {
  long = new X509Certificate((await createPair({ days: 90 })).cert);
  short = new X509Certificate((await createPair({ days: 6 })).cert);
});

const before = ({ validToDate }: X509Certificate, ms: number) =>
  new Date(validToDate.getTime() - ms);

test("a certificate is ending in its last seven days", () => {
  expect(validityOf(long, before(long, 7 * DAY_MS + HOUR_MS))).toBe("valid");
  expect(validityOf(long, before(long, 7 * DAY_MS - HOUR_MS))).toBe("ending");
});

test("a certificate for a few days is ending in its last third", () => {
  expect(validityOf(short, before(short, 2 * DAY_MS + HOUR_MS))).toBe("valid");
  expect(validityOf(short, before(short, 2 * DAY_MS - HOUR_MS))).toBe("ending");
});

test("a certificate is expired after its end, and early before its start", () => {
  expect(validityOf(long, before(long, -HOUR_MS))).toBe("expired");
  expect(validityOf(long, before(long, 91 * DAY_MS))).toBe("early");
});
