/** Opens the control socket of a server, which serves without one where there can be none. */
import type { Logger } from "pino";
import type { Management } from "#server/auth/management.ts";
import { asError } from "#shared/errors.ts";
import { createControlCalls, type MakeBackup } from "./calls.ts";
import { openControlServer } from "./server.ts";
import { controlSocketOf } from "./socket-path.ts";

interface StartOptions {
  /** This process alone has it open. */
  dataDir: string;
  management: Management;
  /** Absent: the store is backed up by means of its own. */
  backup: MakeBackup | undefined;
  log: Pick<Logger, "info" | "warn" | "error">;
}

/** Returns what closes the socket. */
export async function startControl({
  dataDir,
  management,
  backup,
  log,
}: StartOptions): Promise<() => Promise<void>> {
  const { path, problem } = controlSocketOf(dataDir);
  if (path === undefined) {
    log.warn(problem);
    return async () => undefined;
  }
  try {
    const control = await openControlServer({
      path,
      calls: createControlCalls(management, { log, backup }),
      log,
    });
    return control.close;
  } catch (error) {
    log.warn(
      { err: asError(error) },
      "Commands cannot reach this server: it has no control socket",
    );
    return async () => undefined;
  }
}
