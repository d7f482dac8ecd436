/** A port for a program that a test stops and starts again. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ephemeral range (32768 and up), so that no outgoing connection takes the port while the program is down. */
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
