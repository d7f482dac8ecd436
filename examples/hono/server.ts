import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { find, jobwire } from "./jobs.ts";

const app = new Hono();
app.get("/", (c) => c.text("Search with /search?word=…\n"));
app.get("/search", (c) => c.json(find(c.req.query("word") ?? "")));

const port = Number(process.env.PORT ?? 3000);
const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () =>
  console.log(`Listening at http://localhost:${port}`),
);
await jobwire.attach(server, { basePath: "/jobwire" });

process.once("SIGTERM", async () => {
  server.close();
  await jobwire.close();
});
