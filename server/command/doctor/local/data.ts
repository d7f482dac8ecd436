/** The data, and the running server that has them open. */
import type { Config } from "#server/config.ts";
import { createRemoteManagement, NoServer } from "#server/control/client.ts";
import { controlSocketOf } from "#server/control/socket-path.ts";
import { selectEngine } from "#server/engine/index.ts";
import { messageOf } from "#shared/errors.ts";
import { fail, type Finding, ok, warn } from "#shared/finding.ts";

export async function checkData(config: Config, now: () => Date): Promise<Finding[]> {
  const engine = selectEngine(config);
  if (engine.capabilities.multiProcess) return engine.examine(config, { isServed: false, now });
  const { finding, isServed } = await controlSocket(config.DATA_DIR);
  return [finding, ...(await engine.examine(config, { isServed, now }))];
}

/** Asks for a key of the stored ones, so that an answer proves that the server reads its data. */
async function controlSocket(dataDir: string): Promise<{ finding: Finding; isServed: boolean }> {
  const name = "control socket";
  const { path, problem } = controlSocketOf(dataDir);
  if (path === undefined) {
    const finding = warn(name, problem, [
      "Commands then need the server stopped.",
      "docs/command.md#where-it-finds-the-data",
    ]);
    return { finding, isServed: false };
  }
  try {
    await createRemoteManagement(path).apiKeys.list({ limit: 1 });
    return { finding: ok(name, `a running server answers on ${path}`), isServed: true };
  } catch (error) {
    if (error instanceof NoServer) {
      return { finding: ok(name, "no server runs on this DATA_DIR"), isServed: false };
    }
    const finding = fail(name, messageOf(error), [
      "Run this command as the user that runs the server, and of its version. If the server hangs, its log says why.",
      "docs/command.md#where-it-finds-the-data",
    ]);
    return { finding, isServed: false };
  }
}
