/** For tests: what is between a server and a Redis. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** An address that can lead elsewhere, and a wire that can be cut. */
export async function openNetwork(toPort: number) {
  let target = toPort;
  let isCut = false;
  let isOneWay = false;
  /** What begins it. */
  let last: string | undefined;
  const sockets = new Set<Socket>();

  function flow(from: Socket, to: Socket, isAnswer: boolean): void {
    sockets.add(from);
    // While it is cut nothing is lost, as TCP sends again; and nothing comes through.
    if (isCut) from.pause();
    from.on("data", (bytes) => {
      if (!isAnswer && last !== undefined && bytes.includes(last)) isOneWay = true;
      if (!(isAnswer && isOneWay)) to.write(bytes);
    });
    from.on("error", () => undefined);
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  }

  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    flow(near, far, false);
    flow(far, near, true);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const reset = () => sockets.forEach((socket) => socket.destroy());
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    reset();
    await closed;
  });
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      sockets.forEach((socket) => socket.pause());
    },
    heal() {
      isCut = false;
      sockets.forEach((socket) => socket.resume());
    },
    /** From a request on that contains a text what is asked is done, and the answers get lost. */
    loseAnswersTo(text: string) {
      last = text;
    },
    /** All connections break, and are good again. */
    reset() {
      last = undefined;
      isOneWay = false;
      reset();
    },
    /** The machine behind it is gone without a word, and another one is there. */
    vanish(port: number) {
      target = port;
      sockets.forEach((socket) => socket.pause());
    },
    /** As an address does that always leads to the master. */
    leadTo(port: number) {
      target = port;
      reset();
    },
  };
}
