/** Clients of the older system while the `authenticate` hook fails. */
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { newTestData } from "#test/engine/data.fixture.ts";
import { createJob, openTestServer } from "#test/transports/socketio.fixture.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { runPython, STRICT } from "./python.ts";

const WAIT = { timeout: 120_000 };

test.each([
  ["Client", "websocket"],
  ["Client", "polling"],
  ["AsyncClient", "websocket"],
  ["AsyncClient", "polling"],
] as const)(
  "[H13] python-socketio, %s over %s, reconnects by itself once authentication works again",
  async (client, transport) => {
    const data = await newTestData();
    onTestFinished(() => data.remove());
    let away = false;
    let refused = 0;
    const authenticate = async () => {
      if (!away) return LOCAL_PRINCIPAL;
      refused += 1;
      throw new Error("connect ECONNREFUSED 10.0.0.7:5432");
    };
    let server = await openTestServer({ data, authenticate });
    onTestFinished(() => server.close());
    const jobId = await createJob(server.engine);
    const program = runPython(inject("python"), [STRICT[client], server.url, jobId, transport]);
    onTestFinished(() => program.end());
    const updates = () => program.lines.filter((line) => line.includes("job:update"));
    await vi.waitFor(() => expect(updates()).toHaveLength(1), WAIT);

    away = true;
    await server.close();
    server = await openTestServer({ data, authenticate, port: Number(new URL(server.url).port) });
    await vi.waitFor(() => expect(refused).toBeGreaterThan(1), WAIT);
    away = false;
    await vi.waitFor(() => expect(updates()).toHaveLength(2), WAIT);
    expect(program.lines.join("\n") + program.stderr()).not.toContain("10.0.0.7");
  },
);
