import { createJobwireClient } from "@jobwire/client";
import type { App } from "./jobs.ts";

const url = process.env.URL ?? "http://localhost:3000";
const client = createJobwireClient<App>({ url: `${url}/jobwire` });

const job = await client.kinds.columnSums.create({ csv: "item,price\nTea,3\nCake,4.5\n" });
for await (const { progress, message, details } of job.events()) {
  console.log(`${progress} % ${message}`, details ?? "");
}
console.log((await job.result()).columns);
client.close();
