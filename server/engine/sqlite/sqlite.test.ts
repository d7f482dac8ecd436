import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { putEmptyDatabase } from "#test/engine/empty-database.ts";
import { AUDIT_ENTRIES, WEIGHTS } from "#test/engine/engine.fixture.ts";
import { engineSuite } from "#test/engine/engine.suite.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { Clock } from "#shared/clock.ts";
import { SQLITE } from "./declaration.ts";
import { openSqliteEngine } from "./open.ts";

engineSuite({
  name: "sqlite",
  capabilities: SQLITE.capabilities,
  async prepare() {
    const dataDir = await mkdtemp(join(tmpdir(), "jobwire-engine-"));
    putEmptyDatabase(dataDir);
    let time = Date.UTC(2026, 0, 1);
    /** Timers, by the callback that they have not called yet. */
    const timers = new Map<() => void, number>();
    const after: Clock["after"] = (ms, callback) => {
      const call = () => void (timers.delete(call) && callback());
      timers.set(call, time + ms);
      const stop = SYSTEM_CLOCK.after(ms, call);
      return () => {
        timers.delete(call);
        stop();
      };
    };
    return {
      open: () =>
        openSqliteEngine({
          dataDir,
          clock: () => time,
          after,
          maxAuditEntries: AUDIT_ENTRIES,
          weights: WEIGHTS,
        }),
      async pass(ms) {
        time += ms;
        for (const [call, end] of timers.entries().toArray()) if (end <= time) call();
      },
      destroy: () => rm(dataDir, { recursive: true }),
    };
  },
});
