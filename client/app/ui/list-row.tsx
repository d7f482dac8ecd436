import { Link } from "wouter";
import { Badge, type Look } from "./badge.tsx";
import { Breakable } from "./breakable.tsx";
import { ProgressBar } from "./progress-bar.tsx";
import { Age } from "./time.tsx";

/** A job or a batch in a list. */
export function ListRow(props: {
  href: string;
  title: string;
  /** The owner, if it is another person. */
  owner?: string | undefined;
  detail: string;
  progress: number;
  status: string;
  look: Look;
  createdAt: Date;
}) {
  const { title, progress, look } = props;
  return (
    <li className="[contain-intrinsic-size:auto_5rem] [content-visibility:auto]">
      <Link
        href={props.href}
        className="grid gap-x-4 gap-y-2 rounded-xl border border-line bg-card px-4 py-3 transition-colors hover:border-accent sm:grid-cols-[1fr_9rem_7.5rem]"
      >
        <span className="min-w-0">
          <span className="line-clamp-2 font-medium break-words sm:line-clamp-1">
            <Breakable text={title} />
          </span>
          <span className="block truncate text-sm text-muted">
            {props.owner !== undefined && (
              <>
                <span className="inline-block max-w-1/2 truncate align-bottom font-medium text-ink">
                  {props.owner}
                </span>
                {" · "}
              </>
            )}
            {props.detail}
          </span>
        </span>
        <span className="flex items-center gap-2 text-sm tabular-nums">
          <ProgressBar percent={progress} label={`Progress of ${title}`} bar={look.bar} thin />
          <span className="w-10 text-right text-muted">{progress}%</span>
        </span>
        <span className="flex items-center justify-between gap-2 sm:flex-col sm:items-end sm:gap-1">
          <Badge status={props.status} look={look} />
          <span className="text-xs text-muted">
            <Age at={props.createdAt} />
          </span>
        </span>
      </Link>
    </li>
  );
}
