import { expect, test } from "vitest";
import { createAllowList } from "./page/allow-list.ts";
import { samplesOf } from "./samples.ts";

test.each([
  ["http://localhost:8000", "http://127.0.0.1:8000/samples/target/"],
  ["https://localhost:8443", "https://localhost:8443/samples/target/"],
  // `URL` omits the ports of its schemes.
  ["http://localhost:80", "http://localhost/samples/target/"],
  ["https://localhost:443", "https://127.0.0.1/samples/target/"],
])("a server at %s may fetch its own samples", (serverUrl, page) => {
  const isAllowed = createAllowList(samplesOf(serverUrl));
  expect(isAllowed(new URL(page))).toBe(true);
  expect(isAllowed(new URL("http://localhost:1234/samples/target/"))).toBe(false);
});
