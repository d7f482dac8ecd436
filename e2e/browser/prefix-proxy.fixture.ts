/**
 * A server in front of Jobwire that has it below a path, as a program does that embeds it: it takes the prefix off, and
 * writes it into the page. Other paths are its own.
 */
import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface PrefixProxy {
  /** The address of the page: `http://127.0.0.1:1234/jobs-ui`. */
  url: string;
  /** Paths that were asked for and are not below the prefix. */
  strayed: string[];
  close(): void;
}

/** `target`: the address of a Jobwire. `prefix`: `/jobs-ui`. */
export async function openPrefixProxy(target: string, prefix: string): Promise<PrefixProxy> {
  const { hostname, port } = new URL(target);
  const strayed: string[] = [];

  /** `undefined` for a path that is not below the prefix. */
  function pathOf({ url = "/" }: IncomingMessage): string | undefined {
    if (url.startsWith(`${prefix}/`)) return url.slice(prefix.length);
    strayed.push(url);
    return undefined;
  }

  function ask(req: IncomingMessage, path: string) {
    const headers = { ...req.headers, "accept-encoding": "identity" };
    return request({ hostname, port, path, method: req.method, headers });
  }

  async function answer(from: IncomingMessage, res: ServerResponse): Promise<void> {
    const isPage = from.headers["content-type"]?.startsWith("text/html") === true;
    if (!isPage) {
      res.writeHead(from.statusCode ?? 502, from.headers);
      return void from.pipe(res);
    }
    const chunks = (await from.toArray()) as Buffer[];
    const page = Buffer.concat(chunks)
      .toString()
      .replace('<base href="/"', `<base href="${prefix}/"`);
    const { "content-length": _length, etag: _etag, ...headers } = from.headers;
    res.writeHead(from.statusCode ?? 502, headers).end(page);
  }

  const server = createServer((req, res) => {
    const path = pathOf(req);
    if (path === undefined) return void res.writeHead(404).end("Not Jobwire's.");
    const asked = ask(req, path);
    asked.on("response", (from) => void answer(from, res));
    asked.on("error", () => res.destroy());
    res.on("close", () => asked.destroy());
    req.pipe(asked);
  });
  server.on("upgrade", (req, socket: Socket, head) => {
    const path = pathOf(req);
    if (path === undefined) return socket.destroy();
    const asked = ask(req, path);
    asked.on("upgrade", (from, upstream, first) => {
      const lines = from.rawHeaders.flatMap((name, at, all) =>
        at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [],
      );
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      socket.write(first);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
      upstream.on("error", () => socket.destroy());
      socket.on("error", () => upstream.destroy());
    });
    asked.on("response", () => socket.destroy());
    asked.on("error", () => socket.destroy());
    asked.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
    strayed,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
