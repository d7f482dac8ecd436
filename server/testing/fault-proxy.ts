/** A TCP proxy between clients and a server, with which a program proves that its own page survives bad connections. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export interface FaultProxy {
  /** In place of the server's address: `http://127.0.0.1:41234`, with the path of the server's. */
  readonly url: string;
  /** Connections that are open. */
  open(): number;
  /** Breaks all connections, as a lost network does. New ones work. */
  cut(): void;
  /** Delivers nothing in either direction until `resume`, and loses nothing: as TCP does while packets are lost. */
  stall(): void;
  resume(): void;
  /** Refuses new connections, and breaks those that there are, until `up`: the server seems to be gone. */
  down(): void;
  up(): void;
  /** Delays everything by this time, in milliseconds. It stays in order. */
  delay(ms: number): void;
  close(): Promise<void>;
}

/** `to`: the server's address, `http://localhost:8000/jobwire`. TLS passes through. */
export async function createFaultProxy(to: string): Promise<FaultProxy> {
  const target = new URL(to);
  const port = Number(target.port) || (target.protocol === "https:" ? 443 : 80);
  const pairs = new Map<Socket, Socket>();
  let isStalled = false;
  let isDown = false;
  let delayMs = 0;

  /** Returns what resolves when all that has come so far is delivered. */
  function flow(from: Socket, into: Socket): () => Promise<void> {
    let delivered = Promise.resolve();
    if (isStalled) from.pause();
    from.on("data", (bytes) => {
      const due = performance.now() + delayMs;
      delivered = delivered.then(async () => {
        const left = due - performance.now();
        if (left > 0) await wait(left);
        if (into.writable) into.write(bytes);
      });
    });
    return () => delivered;
  }

  const server = createServer((near) => {
    near.on("error", () => undefined);
    if (isDown) return void near.resetAndDestroy();
    const far = connect(port, target.hostname.replace(/^\[(.*)\]$/, "$1"));
    far.on("error", () => undefined);
    pairs.set(near, far);
    flow(near, far);
    const answered = flow(far, near);
    near.once("close", () => {
      pairs.delete(near);
      far.destroy();
    });
    far.once("close", () => void answered().then(() => near.destroySoon()));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  const ends = () => [...pairs].flat();
  const cut = () => ends().forEach((end) => end.resetAndDestroy());
  const { port: own } = server.address() as AddressInfo;
  const path = target.pathname === "/" ? "" : target.pathname;
  return {
    url: `${target.protocol}//127.0.0.1:${own}${path}`,
    open: () => pairs.size,
    cut,
    stall() {
      isStalled = true;
      ends().forEach((end) => end.pause());
    },
    resume() {
      isStalled = false;
      ends().forEach((end) => end.resume());
    },
    down() {
      isDown = true;
      cut();
    },
    up() {
      isDown = false;
    },
    delay(ms) {
      delayMs = ms;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      cut();
      await closed;
    },
  };
}
