/** Variables of an embedded Jobwire of a test: a folder of its own, any free port, and no log. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestData {
  env: Record<string, string>;
  remove(): Promise<void>;
}

export async function newTestData(
  own: Readonly<Record<string, string | undefined>> = {},
): Promise<TestData> {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-"));
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return {
    env: {
      DATA_DIR: dir,
      PORT: "0",
      LOG_LEVEL: "silent",
      ...(Object.fromEntries(given) as Record<string, string>),
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
