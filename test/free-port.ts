/** A port for a program that a test stops and starts again. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ephemeral range (32768 and up), so that no outgoing connection takes the port while the program is down. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/**
 * Returns a port on which no program listens now, and which no other call returns while this process runs: not in
 * another process either.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if ((await reserve(port)) && (await isFree(port))) return port;
  }
}

/** Resolves to false if a call of this or another process has the port. Its UDP side tells, which nothing else uses. */
async function reserve(port: number): Promise<boolean> {
  const reservation = createSocket("udp4");
  const bound = once(reservation, "listening");
  reservation.bind({ port, address: "127.0.0.1", exclusive: true });
  try {
    await bound;
  } catch {
    reservation.close();
    return false;
  }
  reservation.unref();
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch {
    return false;
  }
  probe.close();
  await once(probe, "close");
  return true;
}
