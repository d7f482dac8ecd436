/** Serves the app of the folder WEB, and Jobwire below /jobwire. */
import type { AddressInfo } from "node:net";
import express from "express";
import { jobwire } from "./jobs.ts";

const app = express();
app.get("/health", (_request, response) => void response.send("healthy"));
app.use(express.static(process.env.WEB ?? "public"));

const server = app.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  jobwire.attach(server).then(
    () => console.log(`http://127.0.0.1:${port}`),
    (error: unknown) => {
      throw error;
    },
  );
});
process.once("SIGTERM", () => {
  void jobwire.close().then(() => server.close());
});
