/** A module that creates its Jobwire itself. */
import { createJobwire } from "#server/index.ts";
import { sum } from "./jobs.ts";

export { sum };

export const jobwire = createJobwire({
  kinds: [sum],
  procedures: ({ router, procedure }) => router({ hello: procedure.query(() => "Hello") }),
});
