/** Writes one article from the sample pages with the built-in demo writer, and prints a line about it. */
import { createJobwire } from "jobwire";
import { articleFromEnv, createArticleKind, SAMPLES, samplesOf } from "jobwire/article";

let tell: (url: string) => void;
const address = new Promise<string>((resolve) => (tell = resolve));
export const article = createArticleKind({
  fetchAllow: async () => samplesOf(await address),
});
export const fromEnv = articleFromEnv({});
export const jobwire = createJobwire({ kinds: [article], sites: [SAMPLES] });

const { url } = await jobwire.listen({ port: 0 });
tell!(url);
const me = { userId: "editor", tenantId: "local", scopes: ["*"] };
const { id } = await jobwire.kinds.article.create(me, {
  publisherDomain: `${new URL(url).host}/samples/publisher/`,
  targetUrl: `${url}/samples/target/`,
  anchorText: "cost comparison",
});
for await (const { message } of jobwire.kinds.article.watch(me, id)) console.error(message);
const { status, message, output } = await jobwire.kinds.article.get(me, id);
const title: string | undefined = output?.title;
const hasLink = output?.markdown.includes("[cost comparison](") ?? false;
const writer = output?.writer.provider;
console.log(JSON.stringify({ status, writer, hasTitle: title !== "", hasLink, message }));
await jobwire.close();
