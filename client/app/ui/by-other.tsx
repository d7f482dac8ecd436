import { useOtherOwner } from "#client/app/use-owners.ts";
import type { Owner } from "#shared/principal.ts";
import { Breakable } from "./breakable.tsx";

/** Names the owner of a job or a batch, if it is another person. */
export function ByOther({ record }: { record: Owner }) {
  const owner = useOtherOwner(record);
  if (owner === undefined) return null;
  return (
    <>
      {" by "}
      <span className="font-medium text-ink">
        <Breakable text={owner} />
      </span>
    </>
  );
}
