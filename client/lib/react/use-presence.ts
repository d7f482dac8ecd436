"use client";
import { subscribeToPresence } from "#client/lib/presence.ts";
import type { Presence } from "#shared/presence.ts";
import { useProvided } from "./context.tsx";
import type { Id } from "./query-options.ts";
import { type LiveResult, resultOf } from "./result.ts";
import { useIsAway } from "./use-is-away.ts";
import { type Handlers, useStream } from "./use-stream.ts";

export type PresenceTarget = { jobId: Id } | { batchId: Id };

export interface PresenceOptions {
  /** `false`: nothing is watched. */
  enabled?: boolean;
  /** `false`: watches without being seen. */
  visible?: boolean;
  /** `true`: goes on while the page is hidden. Otherwise the user leaves after a minute, and comes back with the page. */
  whileHidden?: boolean;
}

/**
 * Shows who looks at a job or a batch and who writes; without a target, who is online in the tenant. The component's user is one
 * of them. Several components with the same target share one subscription.
 */
export function usePresence(
  target?: PresenceTarget,
  { enabled = true, visible = true, whileHidden = false }: PresenceOptions = {},
): LiveResult<Presence> {
  const { client } = useProvided();
  const [name, id] = target === undefined ? ["tenant", ""] : (Object.entries(target)[0] ?? []);
  const isAway = useIsAway() && !whileHidden;
  const isKnown = name !== undefined && typeof id === "string";
  const { state, error } = useStream({
    key: ["presence", name ?? "", isKnown ? id : ""],
    initial: undefined,
    reduce: newest,
    // People of before are no state to begin with.
    begin: () => undefined,
    source: enabled && isKnown && !isAway ? `${visible}` : undefined,
    open: (handlers: Handlers<Presence>) =>
      subscribeToPresence(
        client.trpc,
        target === undefined ? {} : { [name ?? ""]: id },
        { visible, device: client.device },
        {
          onData: ({ data }) => handlers.onData(data),
          onError: handlers.onError,
          onComplete: () => {},
        },
      ),
  });
  return resultOf(state, error ?? null);
}

const newest = (known: Presence | undefined, values: readonly Presence[]) => values.at(-1) ?? known;
