import { createJobwireClient } from "@jobwire/client";
import type { App } from "./jobs.ts";

const url = process.env.URL ?? "http://localhost:3000";
const client = createJobwireClient<App>({ url: `${url}/jobwire` });

const csv = ["name,email", "Ann,ann@example.com", "Bob,bob@", "Cid,cid@example.com"].join("\n");
const job = await client.kinds.csvImport.create({ csv });
for await (const { progress, message, details } of job.events()) {
  console.log(`${progress} % ${message}`, details ?? "");
}
const { imported, refused } = await job.result();
console.log(`Imported ${imported} contacts, refused ${refused.length}`);
client.close();
