/** The owners whose jobs and batches the lists show: the person, or everyone in the tenant. The choice is part of the address. */
import { useSearchParams } from "wouter";
import type { Owner } from "#shared/principal.ts";
import { useWho } from "./use-sign-in.ts";

const PARAM = "of";
const EVERYONE = "everyone";

export interface OwnersChoice {
  /** The person may see the jobs of others. */
  mayChoose: boolean;
  allOwners: boolean;
  /** The query of an address of another list with the same choice: empty, or beginning with `?`. */
  search: string;
  choose(allOwners: boolean): void;
}

export function useOwners(): OwnersChoice {
  const who = useWho();
  const [params, setParams] = useSearchParams();
  const mayChoose = who?.scopes.includes("tenant") ?? false;
  const allOwners = mayChoose && params.get(PARAM) === EVERYONE;
  return {
    mayChoose,
    allOwners,
    search: allOwners ? `?${PARAM}=${EVERYONE}` : "",
    choose(allOwners) {
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          if (allOwners) after.set(PARAM, EVERYONE);
          else after.delete(PARAM);
          return after;
        },
        { replace: true },
      );
    },
  };
}

/** The name of the owner if it is another person. */
export function useOtherOwner({ tenant, owner }: Owner): string | undefined {
  const who = useWho();
  if (who === undefined) return undefined;
  return who.user === owner && who.tenant === tenant ? undefined : owner;
}
