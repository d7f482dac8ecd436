/**
 * Node's options in `npm start`. V8 gives a burst of small objects, such as a body in tiny chunks, up to 100 MiB for what
 * is young, and keeps that for good: `--max-semi-space-size` makes it 24 MiB at most.
 */
import pkg from "#package.json" with { type: "json" };

export const NODE_ARGS = pkg.scripts.start.split(" ").slice(1, -1);
