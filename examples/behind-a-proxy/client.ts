import { createJobwireClient } from "@jobwire/client";
import type { App } from "./jobs.ts";

/** The address of the proxy. */
const url = process.env.URL ?? "http://localhost:8080";
const client = createJobwireClient<App>({ url: `${url}/jobs` });

const job = await client.kinds.checksums.create({ texts: ["one", "two", "three"] });
for await (const { progress, message, details } of job.events()) {
  console.log(`${progress} % ${message}`, details ?? "");
}
console.log(await job.result());
client.close();
