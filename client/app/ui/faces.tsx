/** The others who look at the same, as circles with their initials. Nothing is shown to a person who is alone. */
import { UsersRound } from "lucide-react";
import { plainName } from "#client/app/plain-text.ts";
import { hueOf, initialsOf, listOf, othersIn } from "#client/app/present.ts";
import { useWho } from "#client/app/use-sign-in.ts";
import { type PresenceTarget, usePresence } from "#client/lib/react.tsx";
import { pluralize } from "#shared/pluralize.ts";

const SHOWN = 4;
const CIRCLE =
  "inline-flex size-7 items-center justify-center overflow-hidden rounded-full whitespace-nowrap";

/** Without `of`: those who are online. */
export function Faces(props: { of?: PresenceTarget; className?: string }) {
  const user = useWho()?.user;
  const { data, isError } = usePresence(props.of);
  // Of a job that was deleted, what is known is over.
  if (data === undefined || isError) return null;
  const others = othersIn(data, user);
  const count = others.names.length + others.more;
  if (count === 0) return null;
  const where = props.of === undefined ? "online" : "here";
  const text = `Also ${where}: ${listOf(others)}`;

  if (others.names.length === 0) {
    return (
      <p
        title={text}
        className={`flex items-center gap-1.5 text-sm text-muted ${props.className ?? ""}`}
      >
        <UsersRound aria-hidden className="size-4" />
        {count + 1} people {where}
      </p>
    );
  }
  const shown = others.names.slice(
    0,
    others.names.length + others.more > SHOWN ? SHOWN - 1 : SHOWN,
  );
  const more = count - shown.length;
  return (
    <ul
      aria-label={`Also ${where}`}
      data-faces={count}
      className={`flex gap-1 text-[0.6875rem] font-semibold ${props.className ?? ""}`}
    >
      {shown.map((name) => (
        <li key={name} title={plainName(name)}>
          <span className={`${CIRCLE} text-white`} style={colourOf(name)}>
            <span aria-hidden>{initialsOf(name)}</span>
            <span className="sr-only">{plainName(name)}</span>
          </span>
        </li>
      ))}
      {more > 0 && (
        <li title={text}>
          <span className={`${CIRCLE} border border-line bg-sunken text-muted tabular-nums`}>
            <span aria-hidden>+{Math.min(more, 999)}</span>
            <span className="sr-only">{pluralize(more, "other")}</span>
          </span>
        </li>
      )}
    </ul>
  );
}

/** As light for each hue, so that white letters are readable on it in both themes. */
const colourOf = (name: string) => ({ backgroundColor: `oklch(0.5 0.13 ${hueOf(name)})` });
