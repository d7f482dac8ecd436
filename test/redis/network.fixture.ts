/** For tests: a TCP proxy between a server and its Redis. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy that can change its target, hold all traffic, and drop requests and answers. */
export async function openNetwork(toPort: number) {
  let target = toPort;
  let isCut = false;
  let isOneWay = false;
  /** Text in the first request whose answer is dropped, as are all later answers. */
  let last: string | undefined;
  /** Text in the first request that is dropped, as are all later requests and answers. */
  let never: string | undefined;
  let isDead = false;
  const sockets = new Set<Socket>();

  function flow(from: Socket, to: Socket, isAnswer: boolean): void {
    sockets.add(from);
    // A cut network delivers nothing but, as TCP retransmits, loses nothing.
    if (isCut) from.pause();
    from.on("data", (bytes) => {
      if (!isAnswer && last !== undefined && bytes.includes(last)) isOneWay = true;
      if (!isAnswer && never !== undefined && bytes.includes(never)) isDead = true;
      if (!isDead && !(isAnswer && isOneWay)) to.write(bytes);
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
    /** From the first request that contains `text` on, requests arrive but their answers are lost. */
    loseAnswersTo(text: string) {
      last = text;
    },
    /** From the first request that contains `text` on, nothing arrives any more, as of a process that died before it. */
    dieBefore(text: string) {
      never = text;
    },
    isDead: () => isDead || isOneWay,
    /** Breaks all connections. New connections work. */
    reset() {
      last = undefined;
      never = undefined;
      isOneWay = false;
      isDead = false;
      reset();
    },
    /** The target stops answering while its connections stay open. New connections go to `port`. */
    vanish(port: number) {
      target = port;
      sockets.forEach((socket) => socket.pause());
    },
    /** Breaks all connections. New connections go to `port`, as with an address that follows the master. */
    leadTo(port: number) {
      target = port;
      reset();
    },
  };
}
