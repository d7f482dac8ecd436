import { createJobwireClient } from "@jobwire/client";
import type { App } from "./jobs.ts";

const url = process.env.URL ?? "http://localhost:3000";

async function signIn(): Promise<string> {
  const response = await fetch(`${url}/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: "ann", password: "ann's password" }),
  });
  const { session } = (await response.json()) as { session: string };
  return session;
}

const client = createJobwireClient<App>({ url: `${url}/jobs`, getToken: signIn });
const job = await client.kinds.salesReport.create({ from: "2026-01-01", to: "2026-06-30" });
for await (const { progress, message, details } of job.events()) {
  console.log(`${progress} % ${message}`, details ?? "");
}
const { totalCents } = await job.result();
console.log(`Sold for ${totalCents / 100}`);
client.close();
