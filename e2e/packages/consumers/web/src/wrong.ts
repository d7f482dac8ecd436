/** Each line below `@ts-expect-error` must not compile. */
import { client } from "./client.ts";

export async function wrong() {
  const { kinds } = client;
  // @ts-expect-error: there is no such kind
  void kinds.thumbnail;
  // @ts-expect-error: the input has no such field
  await kinds.greetings.create({ nane: "Ada" });
  // @ts-expect-error: this is the input of another kind
  await kinds.thumbnails.create({ name: "Ada" });
  // @ts-expect-error: widths are numbers
  await kinds.thumbnails.create({ url: "https://example.com/cat.png", widths: ["320"] });
  // @ts-expect-error: this is the input of another kind
  await client.trpc.job.create.mutate({ kind: "thumbnails", input: { name: "Ada" } });

  const thumbnails = await kinds.thumbnails.create({ url: "https://example.com", widths: [320] });
  for await (const { details } of thumbnails.events()) {
    // @ts-expect-error: a number
    const done: string | undefined = details?.done;
    // @ts-expect-error: the details have no such field
    void details?.finished;
    // @ts-expect-error: an event may have no details
    void [details.done, done];
  }
  const { files } = await thumbnails.result();
  // @ts-expect-error: a list of texts
  const numbers: number[] = files;

  const greetings = await kinds.greetings.create({ name: "Ada", from: undefined });
  for await (const event of greetings.events()) {
    // @ts-expect-error: this kind has no details
    void event.details.done;
  }
  const text: string = await greetings.result();
  // @ts-expect-error: a text
  void (await greetings.result()).files;
  const { shop } = client.trpc;
  const price: { euros: number; for: string } = await shop.prices.of.query({ width: 320 });
  const placed: { placed: string } = await shop.orders.place.mutate("320");
  const isOpen: boolean = await shop.isOpen.query();
  // @ts-expect-error: a field has another type
  await shop.prices.of.query({ width: "320" });
  // @ts-expect-error: it is a query
  void shop.prices.of.mutate;
  // @ts-expect-error: there is no such procedure in the router
  void shop.prices.off;
  // @ts-expect-error: it is in another router
  void shop.of;
  // @ts-expect-error: the output has no such field
  void (await shop.prices.of.query({ width: 320 })).dollars;
  // @ts-expect-error: the app has no types of Node
  void process;
  return { numbers, text, price, placed, isOpen };
}
