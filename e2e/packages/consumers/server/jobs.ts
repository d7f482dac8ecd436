import { blocked, createJobwire, defineKind } from "jobwire";
import { z } from "zod";

export const thumbnails = defineKind({
  name: "thumbnails",
  input: z.object({ url: z.url(), widths: z.array(z.int().positive()).min(1) }),
  details: z.object({ done: z.int(), of: z.int() }),
  output: z.object({ files: z.array(z.url()) }),
  async run({ input, progress }) {
    const of = input.widths.length;
    for (let done = 1; done <= of; done += 1) {
      await progress(Math.floor((100 * done) / of), `Size ${done}`, { done, of });
    }
    return { files: input.widths.map((width) => `${input.url}?width=${width}`) };
  },
});

export const greetings = defineKind({
  name: "greetings",
  input: z.object({ name: z.string(), from: z.string().optional() }),
  output: z.string(),
  async run({ input, draft }) {
    await draft(`Hello, ${input.name}`);
    const text = `Hello, ${input.name}, from ${input.from ?? "all of us"}`;
    return input.name === "" ? blocked("To whom?", text) : text;
  },
});

export const jobwire = createJobwire({
  kinds: [thumbnails, greetings],
  procedures: ({ router, procedure }) =>
    router({
      shop: router({
        isOpen: procedure.query(() => true),
        prices: router({
          of: procedure
            .input(z.object({ width: z.int() }))
            .query(({ input, ctx }) => ({ euros: 2 * input.width, for: ctx.principal.userId })),
        }),
        // A record makes a router, too.
        orders: { place: procedure.input(z.string()).mutation(({ input }) => ({ placed: input })) },
      }),
    }),
});
type Server = typeof jobwire;
export interface App extends Server {}
