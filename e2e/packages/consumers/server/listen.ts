/** Runs one job in the process, then serves on a port of its own. */
import { jobwire } from "./jobs.ts";

process.once("SIGTERM", () => void jobwire.close());

const me = { userId: "program", tenantId: "local", scopes: ["*"] };
const { id } = await jobwire.kinds.greetings.create(me, { name: "Ada" });
const seen: string[] = [];
for await (const { status } of jobwire.kinds.greetings.watch(me, id)) seen.push(status);
const { output } = await jobwire.kinds.greetings.get(me, id);
console.log(JSON.stringify({ last: seen.at(-1), output }));
const { url } = await jobwire.listen({ port: 0 });
console.log(url);
