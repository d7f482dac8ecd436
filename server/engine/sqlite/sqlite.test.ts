import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AUDIT_ENTRIES, WEIGHTS } from "#test/engine/engine.fixture.ts";
import { engineSuite } from "#test/engine/engine.suite.ts";
import { SQLITE } from "./declaration.ts";
import { openSqliteEngine } from "./open.ts";

engineSuite({
  name: "sqlite",
  capabilities: SQLITE.capabilities,
  async prepare() {
    const dataDir = await mkdtemp(join(tmpdir(), "jobwire-engine-"));
    let time = Date.UTC(2026, 0, 1);
    return {
      open: () =>
        openSqliteEngine({
          dataDir,
          clock: () => time,
          maxAuditEntries: AUDIT_ENTRIES,
          weights: WEIGHTS,
        }),
      pass: async (ms) => void (time += ms),
      destroy: () => rm(dataDir, { recursive: true }),
    };
  },
});
