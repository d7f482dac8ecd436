/** For tests: a port for a program that is stopped and started again. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Systems give outgoing connections ports from 32768 on, or higher: none takes one of these while a program is away. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Returns a port on which no program listens now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const probe = createServer().listen(port, "127.0.0.1");
    try {
      await once(probe, "listening");
    } catch {
      continue;
    }
    probe.close();
    await once(probe, "close");
    return port;
  }
}
