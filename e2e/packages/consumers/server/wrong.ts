/** Each line below `@ts-expect-error` must not compile. */
import { createJobwire, defineKind, type Principal } from "jobwire";
import { z } from "zod";
import { jobwire } from "./jobs.ts";

export const wrongKind = defineKind({
  name: "wrong",
  input: z.object({ text: z.string() }),
  details: z.object({ done: z.int() }),
  output: z.object({ length: z.int() }),
  // @ts-expect-error: the output has another type
  async run({ input, progress }) {
    // @ts-expect-error: the details have another field
    await progress(50, "Half", { finished: 1 });
    // @ts-expect-error: the input has no such field
    return { length: String(input.txt) };
  },
});

export const withoutDetails = defineKind({
  name: "withoutDetails",
  input: z.string(),
  output: z.string(),
  async run({ input, progress }) {
    // @ts-expect-error: this kind has no details
    await progress(50, "Half", { done: 1 });
    return input;
  },
});

export async function wrong(principal: Principal) {
  const { kinds, jobs } = jobwire;
  // @ts-expect-error: there is no such kind
  void kinds.thumbnail;
  // @ts-expect-error: the input has no such field
  await kinds.greetings.create(principal, { nane: "Ada" });
  // @ts-expect-error: this is the input of another kind
  await kinds.thumbnails.create(principal, { name: "Ada" });
  // @ts-expect-error: this is the input of another kind
  await jobs.create(principal, { kind: "thumbnails", input: { name: "Ada" } });
  const { output } = await kinds.thumbnails.get(principal, "id");
  // @ts-expect-error: there is no output before the job has ended
  void output.files;
  // @ts-expect-error: kinds come from defineKind
  createJobwire({ kinds: [{ name: "bare" }] });
}
