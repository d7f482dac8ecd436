import { createJobwireClient } from "@jobwire/client";
import type { App } from "./jobs.ts";

const url = process.env.URL ?? "http://localhost:3000";
const client = createJobwireClient<App>({ url: `${url}/jobwire` });

const job = await client.kinds.indexing.create({
  documents: [
    { id: "planters", text: "Self-watering planters for the balcony" },
    { id: "savings", text: "How much an emergency fund needs" },
    { id: "balcony", text: "A balcony that needs little water" },
  ],
});
for await (const { progress, message, details } of job.events()) {
  console.log(`${progress} % ${message}`, details ?? "");
}
const { words } = await job.result();
console.log(`The index has ${words} words`);
console.log(await client.trpc.search.find.query({ word: "balcony" }));
client.close();
