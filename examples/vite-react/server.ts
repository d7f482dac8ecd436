/** Serves what `npm run build` has built, and Jobwire. */
import { createServer } from "node:http";
import sirv from "sirv";
import { openJobwire } from "./jobs.ts";

const jobwire = openJobwire();
const page = sirv("dist", { single: true });
const server = createServer((req, res) => page(req, res));

await jobwire.attach(server, { basePath: "/jobwire" });
const port = Number(process.env.PORT ?? 3000);
server.listen(port, "127.0.0.1", () => console.log(`Listening at http://localhost:${port}`));

process.once("SIGTERM", () => {
  server.close();
  void jobwire.close();
});
