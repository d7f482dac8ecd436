import { jobwire } from "./jobs.ts";

const { url } = await jobwire.listen();
console.log(`Listening at ${url}`);

process.once("SIGTERM", () => void jobwire.close());
