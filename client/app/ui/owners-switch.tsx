import { useOwners } from "#client/app/use-owners.ts";

/** Chooses between one's own and everyone's. Absent for a person who may not see the jobs of others. */
export function OwnersSwitch() {
  const { mayChoose, allOwners, choose } = useOwners();
  if (!mayChoose) return null;
  return (
    <div role="group" aria-label="Whose" className="flex rounded-lg border border-line p-0.5">
      <Choice active={!allOwners} onClick={() => choose(false)}>
        Yours
      </Choice>
      <Choice active={allOwners} onClick={() => choose(true)}>
        Everyone’s
      </Choice>
    </div>
  );
}

function Choice(props: { active: boolean; onClick: () => void; children: string }) {
  return (
    <button
      type="button"
      aria-pressed={props.active}
      onClick={props.onClick}
      className={`rounded-md px-3 py-1 text-sm transition-colors ${
        props.active ? "bg-sunken font-medium text-ink" : "text-muted hover:text-ink"
      }`}
    >
      {props.children}
    </button>
  );
}
