/** A web server with a publisher at `/` and a target at `/target`, which serve Jobwire's sample pages. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Pages {
  /** `127.0.0.1:port`: the publisher's domain. */
  readonly host: string;
  /** Lets a server fetch them, also when they are held for long. */
  readonly env: { readonly FETCH_ALLOW: string; readonly FETCH_TIMEOUT_MS: string };
  readonly targetUrl: string;
  /** An input that ends `DELIVERED`. */
  readonly article: { publisherDomain: string; targetUrl: string; anchorText: string };
  /** Delays responses until `release()`, so that a started article stays `PROCESSING`. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

const SAMPLES = new URL("../server/kinds/article/samples/", import.meta.url);

export async function startPages(): Promise<Pages> {
  const publisher = await readFile(new URL("publisher/index.html", SAMPLES));
  const target = await readFile(new URL("target/index.html", SAMPLES));
  let held: PromiseWithResolvers<void> | undefined;

  const server = createServer((req, res) => {
    const page = { "/": publisher, "/target": target }[req.url ?? ""];
    void (held?.promise ?? Promise.resolve()).then(() => {
      res.writeHead(page === undefined ? 404 : 200, { "Content-Type": "text/html; charset=utf-8" });
      res.end(page);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const targetUrl = `http://${host}/target`;

  return {
    host,
    env: { FETCH_ALLOW: host, FETCH_TIMEOUT_MS: "300000" },
    targetUrl,
    article: { publisherDomain: host, targetUrl, anchorText: "self-watering planters" },
    hold() {
      held ??= Promise.withResolvers();
    },
    release() {
      held?.resolve();
      held = undefined;
    },
    async close() {
      held?.resolve();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
