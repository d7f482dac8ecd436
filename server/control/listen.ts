/** Binds a server to the path of a socket that no other user can open. */
import { lstatSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { AppError } from "#shared/errors.ts";

/** Takes away all that a socket does not need: it is made with the mode 0600, and never had another. */
const UMASK = 0o177;

/**
 * Replaces the socket of a process that was killed. Rejects with `DATA_UNUSABLE` if a living process listens there, or
 * something that is no socket is in the way, and leaves both. Call it for a path that this process alone can want.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  await clear(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // `listen` binds a path before it returns, so the process has this mask for no other file.
    const mask = process.umask(UMASK);
    try {
      server.listen(path, () => {
        server.off("error", reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

async function clear(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw unusable(`${path} is in the way: it is no socket. Move it away.`);
  if (await isServed(path)) {
    throw unusable(`${path} is the control socket of another process. Stop that process.`);
  }
  unlinkSync(path);
}

/** Only a refusal, or no socket at all, proves that no process listens. */
const ABSENT = new Set(["ECONNREFUSED", "ENOENT"]);

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", ({ code }: NodeJS.ErrnoException) => resolve(!ABSENT.has(code ?? "")));
  });
}

function unusable(message: string): AppError {
  return new AppError("DATA_UNUSABLE", message);
}
