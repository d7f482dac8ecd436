/** The share links of a job or a batch. */
import { useJobwire } from "#client/lib/react.tsx";
import type { Owner } from "#shared/principal.ts";
import { useWho } from "./use-sign-in.ts";

export type SharedRef = { jobId: string } | { batchId: string };

/** True for its owner, and for others with the scope `tenant`. A server without sign-in has no links. */
export function useMayShare({ tenant, owner }: Owner): boolean {
  const who = useWho();
  if (who === undefined || who.tenant !== tenant || !who.scopes.includes("jobs:read")) return false;
  return who.user === owner || who.scopes.includes("tenant");
}

export function useSharing(ref: SharedRef) {
  const { trpc } = useJobwire();
  if ("jobId" in ref) {
    return {
      list: () => trpc.job.links.query(ref),
      share: (expiresIn: number) => trpc.job.share.mutate({ ...ref, link: true, expiresIn }),
      unshare: (linkId: string) => trpc.job.unshare.mutate({ ...ref, linkId }),
    };
  }
  return {
    list: () => trpc.batch.links.query(ref),
    share: (expiresIn: number) => trpc.batch.share.mutate({ ...ref, link: true, expiresIn }),
    unshare: (linkId: string) => trpc.batch.unshare.mutate({ ...ref, linkId }),
  };
}
