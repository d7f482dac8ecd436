import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineSuite } from "#server/engine/contract.suite.ts";
import { openSqliteEngine } from "./open.ts";

engineSuite({
  name: "sqlite",
  capabilities: { shared: false },
  async prepare() {
    const dataDir = await mkdtemp(join(tmpdir(), "jobwire-engine-"));
    return {
      open: () => openSqliteEngine({ dataDir }),
      destroy: () => rm(dataDir, { recursive: true }),
    };
  },
});
