/** A real HTTP server for tests that send it raw bytes. */
import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface RawServer {
  readonly server: Server;
  connect(): Socket;
  /** Sends text unchanged, and resolves to everything received until the connection ends. */
  send(text: string): Promise<string>;
}

/** Closes with the test. Without `listener`, the test adds its own. */
export async function openRawServer(
  options: ServerOptions = {},
  listener?: RequestListener,
): Promise<RawServer> {
  const server = createServer(options, listener);
  const clients: Socket[] = [];
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    clients.forEach((socket) => socket.destroy());
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });

  function open(): Socket {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    clients.push(socket);
    return socket;
  }
  return {
    server,
    connect: open,
    send(text) {
      return new Promise((resolve) => {
        let answer = "";
        const socket = open();
        socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
        socket.on("close", () => resolve(answer));
        socket.write(text, "latin1");
      });
    },
  };
}
