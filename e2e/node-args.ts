/**
 * Node's options in `npm start`. For a burst of small objects, such as a body in tiny chunks, V8 grows its young
 * generation to up to 100 MiB and never shrinks it; `--max-semi-space-size` limits it to 24 MiB.
 */
import pkg from "#package.json" with { type: "json" };

export const NODE_ARGS = pkg.scripts.start.split(" ").slice(1, -1);
