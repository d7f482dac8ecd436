import { expect, test } from "vitest";
import { loadConfig } from "#server/config.ts";
import { freePort } from "#test/free-port.ts";
import type { Pending } from "./pending.ts";
import { createOidcProvider, MAX_CALLBACKS } from "./provider.ts";

const PENDING: Pending = { state: "s", nonce: "n", verifier: "v".repeat(43), returnTo: "/" };

test("[P19] sign-ins that wait for the provider have a limit, and make room when they are over", async () => {
  const provider = createOidcProvider(
    {
      ...loadConfig({}),
      issuer: `http://127.0.0.1:${await freePort()}`,
      clientId: "jobwire",
      clientSecret: "a secret of the tests",
      publicUrl: "http://localhost:8000",
      name: "Acme ID",
      requested: "openid",
      granted: [],
    },
    () => new Date(),
  );
  const finish = () => provider.finish("?code=c&state=s", PENDING);
  const waiting = Array.from({ length: MAX_CALLBACKS }, finish);
  await expect(finish()).rejects.toMatchObject({ kind: "busy" });
  const outcomes = await Promise.allSettled(waiting);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { kind: "unavailable" } });
  }
  await expect(finish()).rejects.toMatchObject({ kind: "unavailable" });
});
