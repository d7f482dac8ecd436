/** Serves the OpenAPI document and the page to read it: `GET /api/v1/openapi.json` and `GET /api/v1/docs`. */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TransportContext } from "#server/transports/contract.ts";
import { documentOf } from "./document.ts";
import { API } from "./match.ts";
import { RequestFault } from "./problem.ts";
import { PAGE_POLICY, pageOf } from "./reference-page.ts";
import type { Table } from "./table.ts";

export const DOCUMENT = "/openapi.json";
export const PAGE = "/docs";
/** It says what `kind.list` says, so it needs the same. */
export const DESCRIPTION_PROCEDURE = "kind.list";

interface Form {
  type: string;
  text: string;
  etag: string;
}

export interface Description {
  /** True for a path below the API that is described here. */
  has(path: string): boolean;
  /** Throws `RequestFault` for a method that reads nothing. */
  assertReads(req: IncomingMessage, res: ServerResponse): void;
  send(path: string, req: IncomingMessage, res: ServerResponse): void;
}

/** Both are made when they are first asked for. */
export function createDescription(
  table: Table,
  { jobs, system }: Pick<TransportContext, "jobs" | "system">,
  basePath: string,
): Description {
  const forms = new Map<string, Form>();

  function formOf(path: string): Form {
    const known = forms.get(path);
    if (known !== undefined) return known;
    const document = documentOf({ table, kinds: jobs.kinds(), system, basePath });
    const isPage = path === PAGE;
    const text = isPage ? pageOf(document) : JSON.stringify(document);
    // Weak, because its bytes can be compressed.
    const etag = `W/"${createHash("sha256").update(text).digest("base64url")}"`;
    const form = { type: isPage ? "text/html; charset=utf-8" : "application/json", text, etag };
    forms.set(path, form);
    return form;
  }

  return {
    has: (path) => path === DOCUMENT || path === PAGE,
    assertReads({ method }, res) {
      if (method === "GET" || method === "HEAD") return;
      res.setHeader("Allow", "GET, HEAD, OPTIONS");
      throw new RequestFault(405, "Use GET.");
    },
    send(path, { method, headers }, res) {
      const { type, text, etag } = formOf(path);
      res.setHeader("ETag", etag);
      res.setHeader("Cache-Control", "private, no-cache");
      res.setHeader("X-Content-Type-Options", "nosniff");
      if (path === PAGE) res.setHeader("Content-Security-Policy", PAGE_POLICY);
      if (headers["if-none-match"] === etag) return void res.writeHead(304).end();
      res.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) });
      res.end(method === "HEAD" ? undefined : text);
    },
  };
}

/** The path of the page, which other sites may link to. */
export const PAGE_PATH = API + PAGE;
