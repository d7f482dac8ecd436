/** Permits of limits of all tenants (`permits.ts`) that no process checks: they count jobs that may have ended. */
import { type Finding, ok, warn } from "#shared/finding.ts";
import { pluralize } from "#shared/pluralize.ts";
import type { Client } from "./client.ts";
import type { Keys } from "./keys.ts";

/** The sweep of any worker looks every few seconds. Longer than one that died takes to be replaced. */
const OVERDUE_MS = 60_000;
const NAMED_KINDS = 3;

export async function permitsOf(client: Client, { ring }: Keys): Promise<Finding> {
  const name = "redis permits";
  const kinds = await client.smembers(`${ring}:counted`);
  if (kinds.length === 0) return ok(name, "no kind has a limit of all tenants together");
  const [seconds] = await client.time();
  const before = Number(seconds) * 1000 - OVERDUE_MS;
  const overdue: { kind: string; count: number }[] = [];
  let held = 0;
  for (const kind of kinds.toSorted()) {
    const permits = `${ring}:permits:${kind}`;
    const [count, all] = await Promise.all([
      client.zcount(permits, "-inf", before),
      client.zcard(permits),
    ]);
    held += all;
    if (count > 0) overdue.push({ kind, count });
  }
  if (overdue.length === 0) {
    return ok(
      name,
      `${pluralize(held, "place")} of ${pluralize(kinds.length, "limited kind")} in use`,
    );
  }
  const shown = overdue.slice(0, NAMED_KINDS).map(({ kind, count }) => `${count} of ${kind}`);
  const more = overdue.length - shown.length;
  const which = [...shown, ...(more > 0 ? [pluralize(more, "other kind")] : [])].join(", ");
  const found = `places of limits are in use that no worker checks (${which}): their jobs may have ended, and others wait for them`;
  return warn(name, found, [
    "Start a worker: it gives them back within seconds. If workers run (`npx jobwire workers`), look in their logs for a node of Redis that does not answer.",
    "docs/troubleshooting.md#jobs-wait-and-none-starts",
  ]);
}
