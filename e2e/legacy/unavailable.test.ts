/** Clients of the older system while the `authenticate` hook fails. */
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { newTestData } from "#test/engine/data.fixture.ts";
import { createJob, openTestServer } from "#test/transports/socketio.fixture.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { type PythonProgram, runStrict, STRICT_KINDS } from "./python.ts";

const WAIT = { timeout: 120_000 };

test.each(STRICT_KINDS)(
  "[H13] python-socketio, %s over each transport, reconnects by itself once authentication works again",
  async (kind) => {
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
    const clients = (["websocket", "polling"] as const).map((transport) => ({ jobId, transport }));
    const programs = runStrict(inject("python"), kind, { url: server.url, clients });
    onTestFinished(() => programs[0]?.end());
    const updates = () => programs.map(updatesOf);
    await vi.waitFor(() => expect(updates()).toEqual([1, 1]), WAIT);

    away = true;
    await server.close();
    server = await openTestServer({ data, authenticate, port: Number(new URL(server.url).port) });
    await vi.waitFor(() => expect(refused).toBeGreaterThan(2), WAIT);
    away = false;
    await vi.waitFor(() => expect(updates()).toEqual([2, 2]), WAIT);
    for (const { lines, stderr } of programs) {
      expect(lines.join("\n") + stderr()).not.toContain("10.0.0.7");
    }
  },
);

function updatesOf({ lines }: PythonProgram): number {
  return lines.filter((line) => line.includes("job:update")).length;
}
