import { createJobwire, defineKind } from "jobwire";
import { z } from "zod";

const Broken = z.object({ url: z.url(), reason: z.string() });

const linkCheck = defineKind({
  name: "linkCheck",
  description: "Opens links and tells which of them are broken.",
  input: z.object({
    urls: z
      .array(z.url({ protocol: /^https?$/ }))
      .min(1)
      .max(500),
  }),
  details: z.object({ checked: z.int(), of: z.int(), broken: z.int() }),
  output: z.object({ broken: z.array(Broken) }),
  title: ({ urls }) => `Links: ${urls.length}`,

  async run({ input: { urls }, signal, progress }) {
    const broken: z.output<typeof Broken>[] = [];
    for (const [index, url] of urls.entries()) {
      const reason = await whyBroken(url, signal);
      if (reason !== undefined) broken.push({ url, reason });
      const checked = index + 1;
      await progress(Math.floor((99 * checked) / urls.length), `Checked ${url}`, {
        checked,
        of: urls.length,
        broken: broken.length,
      });
    }
    return { broken };
  },
});

async function whyBroken(url: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const timeout = AbortSignal.timeout(10_000);
    const response = await fetch(url, {
      method: "HEAD",
      signal: AbortSignal.any([signal, timeout]),
    });
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error && error.name === "TimeoutError" ? "no answer" : "not reachable";
  }
}

export const jobwire = createJobwire({ kinds: [linkCheck] });

type Server = typeof jobwire;
export interface App extends Server {}
