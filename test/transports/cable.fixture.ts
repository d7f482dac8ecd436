/** For tests: a TCP proxy between clients and a server that can cut their connections or stop their reading. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Cable {
  url: string;
  cuts: number;
  /** Connections that are open. */
  open(): number;
  /** Destroys all connections. */
  cut(): void;
  /**
   * Stops reading from the server, like a client that has stopped reading. What clients send on connections that they open
   * meanwhile waits too.
   */
  pause(): void;
  resume(): void;
}

/** `to` is the server's address. Closes with the test. */
export async function openCable(to: string): Promise<Cable> {
  const pairs = new Map<Socket, Socket>();
  let isPaused = false;

  const server = createServer((near) => {
    const far = connect(Number(new URL(to).port), "127.0.0.1");
    pairs.set(near, far);
    near.pipe(far);
    far.on("data", (bytes: Buffer) => near.write(bytes));
    if (isPaused) {
      far.pause();
      near.pause();
    }
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.on("error", () => {});
      end.on("close", () => {
        pairs.delete(near);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const forEachEnd = (act: (end: Socket) => void) => [...pairs].flat().forEach(act);
  onTestFinished(async () => {
    forEachEnd((end) => end.destroy());
    await new Promise((resolve) => server.close(resolve));
  });

  const cable: Cable = {
    url: `${new URL(to).protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: 0,
    open: () => pairs.size,
    cut() {
      cable.cuts += 1;
      forEachEnd((end) => end.resetAndDestroy());
    },
    pause() {
      isPaused = true;
      for (const far of pairs.values()) far.pause();
    },
    resume() {
      isPaused = false;
      forEachEnd((end) => end.resume());
    },
  };
  return cable;
}
