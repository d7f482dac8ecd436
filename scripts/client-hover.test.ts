/** Asks TypeScript's language server what an editor shows for the client's methods. */
import { spawn } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TSC = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));

/** The mark stands before each name that is hovered. */
const MARK = "/*?*/";
const PROGRAM = `
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import { useCreateJob, useJob } from "#client/lib/react.tsx";
import { defineKind, type KindMapOf } from "#server/kinds/define.ts";
import type { ServerTypes } from "#shared/kind-types.ts";

const thumbnails = defineKind({
  name: "thumbnails",
  input: z.object({ url: z.url(), widths: z.array(z.int()).default([320]) }),
  details: z.object({ done: z.int() }),
  output: z.object({ files: z.array(z.string()) }),
  run: async () => ({ files: [] }),
});
interface App extends ServerTypes<KindMapOf<[typeof thumbnails]>> {}
const client = createJobwireClient<App>({ url: "http://localhost:8000" });
client.kinds.thumbnails.${MARK}create({ url: "https://example.com" });
client.kinds.thumbnails.job("id").${MARK}result();
const { ${MARK}mutate } = useCreateJob(client.kinds.thumbnails);
const ${MARK}output = useJob(client.kinds.thumbnails, "id").data?.output;
`;

interface Message {
  id?: number;
  method?: string;
  params?: { items?: unknown[] };
  result?: unknown;
}

/** Speaks the Language Server Protocol. */
function startLanguageServer() {
  const child = spawn(process.execPath, [TSC, "--lsp", "--stdio"], { cwd: ROOT });
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

/** What an editor shows for each marked name, on one line. */
async function hovers(text: string): Promise<string[]> {
  const server = startLanguageServer();
  await server.request("initialize", {
    processId: process.pid,
    rootUri: pathToFileURL(ROOT).href,
    capabilities: {},
  });
  server.notify("initialized", {});
  const uri = new URL("client/lib/unsaved.ts", pathToFileURL(`${ROOT}/`)).href;
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

test("an editor shows the shapes of a kind's input and output, and no schemas", async () => {
  const [create, result, mutate, output] = await hovers(PROGRAM);
  expect(create).toContain(
    ".create(input: { url: string; widths?: number[] | undefined; }, options?: Keyed): Promise<JobHandle<",
  );
  expect(result).toContain("): Promise<{ files: string[]; }>");
  expect(mutate).toContain("Error, { url: string; widths?: number[] | undefined; }, unknown>");
  expect(output).toContain("const output: { files: string[]; } | null | undefined");
  expect(`${create}${result}${mutate}`).not.toMatch(/Zod|TRPC|Stored</);
});
