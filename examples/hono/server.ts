import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { find, jobwire } from "./jobs.ts";

const app = new Hono();
app.get("/", (c) => c.text("Search with /search?word=…\n"));
app.get("/search", (c) => c.json(find(c.req.query("word") ?? "")));

// Before the server listens, so that no request for Jobwire reaches the app.
const server = createAdaptorServer({ fetch: app.fetch });
await jobwire.attach(server, { basePath: "/jobwire" });
const port = Number(process.env.PORT ?? 3000);
server.listen(port, "127.0.0.1", () => console.log(`Listening at http://localhost:${port}`));

process.once("SIGTERM", () => {
  server.close();
  void jobwire.close();
});
