/** Asks TypeScript's language server what an editor shows. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";

/** It stands before each name that is hovered. */
export const MARK = "/*?*/";

interface Message {
  id?: number;
  method?: string;
  params?: { items?: unknown[] };
  result?: unknown;
}

/** Speaks the Language Server Protocol. */
function startLanguageServer(program: string) {
  const tsc = join(program, "node_modules/typescript/bin/tsc");
  const child = spawn(process.execPath, [tsc, "--lsp", "--stdio"], { cwd: program });
  onTestFinished(() => void child.kill());
  const waiting = new Map<number, (result: unknown) => void>();
  let received = Buffer.alloc(0);
  let lastId = 0;

  function send(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }
  function take({ id = 0, method, params, result }: Message): void {
    if (method === undefined) waiting.get(id)?.(result);
    // It asks for the editor's settings, which are the defaults.
    else if (id !== 0) send({ id, result: params?.items?.map(() => null) ?? null });
  }
  child.stdout.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const end = received.indexOf("\r\n\r\n");
      if (end === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(received.toString("utf8", 0, end))?.[1]);
      const next = end + 4 + length;
      if (received.length < next) return;
      const message = JSON.parse(received.toString("utf8", end + 4, next)) as Message;
      received = received.subarray(next);
      take(message);
    }
  });
  return {
    notify: (method: string, params: object) => send({ method, params }),
    request: (method: string, params: object) =>
      new Promise<unknown>((resolve) => {
        waiting.set((lastId += 1), resolve);
        send({ id: lastId, method, params });
      }),
  };
}

/**
 * The text that an editor shows for each marked name, on one line. `file`: a path in the folder `program`, as if it were being written
 * there with this text.
 */
export async function hovers(program: string, file: string, text: string): Promise<string[]> {
  const server = startLanguageServer(program);
  await server.request("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(program).href,
    capabilities: {},
  });
  server.notify("initialized", {});
  const uri = pathToFileURL(join(program, file)).href;
  const textDocument = { uri, languageId: "typescript", version: 1, text };
  server.notify("textDocument/didOpen", { textDocument });
  const shown: string[] = [];
  for (const [line, content] of text.split("\n").entries()) {
    const at = content.indexOf(MARK);
    if (at === -1) continue;
    const position = { line, character: at + MARK.length };
    const hover = await server.request("textDocument/hover", { textDocument: { uri }, position });
    const { contents } = hover as { contents: { value: string } | string };
    shown.push((typeof contents === "string" ? contents : contents.value).replaceAll(/\s+/g, " "));
  }
  return shown;
}
