/** CPU and memory of a process other than Node, read from /proc. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Memory } from "./peer.ts";

/** `USER_HZ`, which is the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time in microseconds, with a resolution of 10 ms. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The process name, in parentheses, may contain any character.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) * 1e6) / TICKS_PER_SECOND;
}

/** Resident memory stands for held memory. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const rss = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  return { rss, held: rss };
}

const LOOK_EVERY_MS = 20;
const START_MS = 10_000;

export async function untilListens(port: number): Promise<void> {
  const until = performance.now() + START_MS;
  while (!(await listens(port))) {
    if (performance.now() > until) throw new Error(`Nothing listens on port ${port}.`);
    await delay(LOOK_EVERY_MS);
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
