/** The path of the control socket of a data directory. */
import { join, resolve } from "node:path";

/** `sun_path` of unix(7), with the zero at its end. */
const MAX_PATH_BYTES = { linux: 108, other: 104 } as const;

/** `problem`: there can be no control socket, and why. */
export type SocketPath =
  | { path: string; problem?: undefined }
  | { path?: undefined; problem: string };

export function controlSocketOf(
  dataDir: string,
  platform: NodeJS.Platform = process.platform,
): SocketPath {
  if (platform === "win32") {
    return {
      problem:
        "There is no control socket on Windows, so commands reach no running server: stop the server before a command, or use Redis.",
    };
  }
  const path = join(resolve(dataDir), "control.sock");
  const bytes = Buffer.byteLength(path);
  const most = (platform === "linux" ? MAX_PATH_BYTES.linux : MAX_PATH_BYTES.other) - 1;
  if (bytes <= most) return { path };
  return {
    problem:
      `There is no control socket, because its path ${path} has ${bytes} bytes and sockets may have ${most}, so commands reach ` +
      "no running server. Set DATA_DIR to a shorter path, or stop the server before a command.",
  };
}
