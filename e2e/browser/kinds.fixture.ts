/** A server with kinds that the page has no parts for, in this process. */
import type { Page } from "playwright-core";
import { z } from "zod";
import { type App, createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { blocked, defineKind, Failure } from "#server/kinds/define.ts";
import type { KindInfo } from "#shared/api.ts";
import { newTestData } from "#test/engine/data.fixture.ts";

const thumbnails = defineKind({
  name: "thumbnails",
  description: "Makes small pictures of a large one.",
  input: z.strictObject({
    url: z.url().meta({ title: "Picture", description: "The address of the picture" }),
    widths: z.array(z.int().min(16).max(4096)).min(1).describe("Of the pictures, in pixels"),
    format: z.enum(["avif", "webp", "jpeg"]).default("webp"),
    quality: z.int().min(1).max(100).optional(),
    crop: z.boolean().default(false).describe("Cut to a square"),
    comment: z.string().max(500).optional(),
    frame: z.object({ colour: z.string(), width: z.int() }).optional(),
  }),
  details: z.object({ done: z.int(), of: z.int() }),
  output: z.object({
    files: z.array(z.string()),
    settings: z.object({ format: z.string(), crop: z.boolean() }),
    summary: z.string(),
  }),
  title: ({ url }) => `Thumbnails of ${url}`,
  async run({ input, log, progress }) {
    const { widths, format, crop, comment } = input;
    if (comment === "fail") throw new Failure("NO_PICTURE", "There is no picture at the address.");
    const files: string[] = [];
    log("debug", `Widths: ${widths.join(", ")}`);
    if (crop) log("warn", "A square has less of the picture");
    for (const width of widths) {
      files.push(`https://pictures.test/${width}.${format}`);
      const details = { done: files.length, of: widths.length };
      await progress((100 * files.length) / (widths.length + 1), `Made ${width} pixels`, details);
    }
    const summary = `${files.length} files`;
    const output = { files, settings: { format, crop }, summary };
    return comment === "block" ? blocked("Needs a look", output) : output;
  },
});

const anything = defineKind({
  name: "anything",
  description: "Hands out its input.",
  input: z.union([z.array(z.unknown()), z.string()]),
  output: z.unknown(),
  title: () => "Anything",
  run: async ({ input }) => input,
});

const Post = z.object({
  by: z.literal("post"),
  address: z.object({ street: z.string().max(80), city: z.string().max(80) }),
});
const Pickup = z.object({ by: z.literal("pickup"), at: z.iso.datetime().optional() });

const orders = defineKind({
  name: "orders",
  description: "Has an input of all that a form can show.",
  input: z.strictObject({
    customer: z
      .object({
        name: z.string().min(2).max(50),
        email: z.email(),
        birthday: z.iso.date().optional(),
      })
      .meta({ title: "Customer", description: "The person who pays" }),
    lines: z
      .array(
        z.object({
          product: z.string().min(3).max(50).meta({ title: "Product" }),
          count: z.int().min(1).max(99).default(1),
          notes: z.array(z.string().max(50)).max(2).optional(),
        }),
      )
      .min(1)
      .max(3)
      .meta({ title: "Line" }),
    delivery: z
      .discriminatedUnion("by", [Post, Pickup])
      .meta({ title: "Delivery", description: "How it reaches the customer" }),
    gift: z.object({ message: z.string().max(80) }).optional(),
    labels: z.record(z.string(), z.int()).optional(),
  }),
  output: z.unknown(),
  title: ({ customer }) => `Order of ${customer.name}`,
  run: async ({ input }) => input,
});

export interface KindsServer {
  app: App;
  url: string;
  close(): Promise<void>;
}

/** `env`: variables of the program. `names`: of the kinds that the server has. */
export async function startKinds(
  env: Record<string, string> = {},
  names: readonly string[] = ["thumbnails", "anything"],
): Promise<KindsServer> {
  const data = await newTestData();
  const config = loadConfig({
    ...data.env,
    PORT: "0",
    HOST: "127.0.0.1",
    LOG_LEVEL: "silent",
    SHUTDOWN_GRACE_MS: "0",
    ...env,
  });
  const kinds = [thumbnails, anything, orders].filter(({ name }) => names.includes(name));
  const app = await createApp(config, { kinds });
  return {
    app,
    url: app.url.replace("localhost", "127.0.0.1"),
    async close() {
      await app.close();
      await data.remove();
    },
  };
}

/** Lets the page see no kinds but those of these names, and `more` after them. */
export async function showKinds(
  page: Page,
  names: readonly string[],
  more: readonly KindInfo[] = [],
): Promise<void> {
  await page.addInitScript(
    ({ names, more }) => {
      const { fetch } = globalThis;
      globalThis.fetch = async (...asked) => {
        const response = await fetch(...asked);
        const isList = /\/trpc\/[^?]*kind\.list/.test(new Request(...asked).url);
        if (!isList || !response.ok) return response;
        const answers = (await response.json()) as { result: { data: { json: unknown } } }[];
        for (const { result } of answers) {
          if (!Array.isArray(result.data.json)) continue;
          const kinds = result.data.json as { name: string }[];
          result.data.json = [...kinds.filter(({ name }) => names.includes(name)), ...more];
        }
        return Response.json(answers);
      };
    },
    { names, more },
  );
}
