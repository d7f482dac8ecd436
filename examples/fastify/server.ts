import { Readable } from "node:stream";
import Fastify from "fastify";
import type { Principal } from "jobwire";
import { jobwire } from "./jobs.ts";

/** There is no sign-in here, so all jobs are those of the one local user. */
const LOCAL: Principal = { userId: "local", tenantId: "local", scopes: ["*"] };

const app = Fastify();

app.get("/", async () => ({ hello: "world" }));

/** Checks a link, and answers with a line of JSON for each step: `curl -N 'localhost:3000/check?url=https://example.com'` */
app.get<{ Querystring: { url: string } }>(
  "/check",
  {
    schema: {
      querystring: { type: "object", required: ["url"], properties: { url: { type: "string" } } },
    },
  },
  async (request, reply) => {
    const { id } = await jobwire.kinds.linkCheck.create(LOCAL, { urls: [request.query.url] });
    const left = new AbortController();
    reply.raw.once("close", () => left.abort());
    return reply.type("application/x-ndjson").send(Readable.from(lines(id, left.signal)));
  },
);

async function* lines(jobId: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const event of jobwire.kinds.linkCheck.watch(LOCAL, jobId, { signal })) {
    yield `${JSON.stringify({ status: event.status, details: event.details })}\n`;
  }
  const { output } = await jobwire.kinds.linkCheck.get(LOCAL, jobId);
  yield `${JSON.stringify({ broken: output?.broken })}\n`;
}

// Before Fastify waits for its connections, of which Jobwire's stay open until it closes.
app.addHook("preClose", async () => void (await jobwire.close()));

await jobwire.attach(app.server, { basePath: "/jobwire" });
const port = Number(process.env.PORT ?? 3000);
await app.listen({ port, host: "127.0.0.1" });
console.log(`Listening at http://localhost:${port}`);

process.once("SIGTERM", () => void app.close());
