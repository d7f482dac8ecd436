import { createJobwireClient } from "@jobwire/client";
import type { App } from "./jobs.ts";

const url = process.env.URL ?? "http://localhost:3000";
const client = createJobwireClient<App>({ url: `${url}/jobwire` });

const job = await client.kinds.linkCheck.create({ urls: [`${url}/`, `${url}/nowhere`] });
for await (const { progress, message, details } of job.events()) {
  console.log(`${progress} % ${message}`, details ?? "");
}
const { broken } = await job.result();
console.log(`Broken: ${broken.map(({ url, reason }) => `${url} (${reason})`).join(", ")}`);
client.close();
