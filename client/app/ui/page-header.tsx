import { type ReactNode, useEffect, useRef } from "react";
import { Breakable } from "./breakable.tsx";

/** The title of a page. Takes the focus when the page opens, so that screen readers announce it. */
export function PageHeader(props: {
  title: string;
  tab?: string;
  above?: ReactNode;
  children?: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const tab = props.tab ?? props.title;

  useEffect(() => {
    document.title = `${tab} · Jobwire`;
  }, [tab]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);

  return (
    <div className="mb-6 flex flex-wrap items-start gap-x-4 gap-y-3">
      <div className="min-w-0 flex-1 basis-72">
        {props.above}
        <h1
          ref={heading}
          tabIndex={-1}
          className="text-xl font-semibold tracking-tight text-balance break-words sm:text-2xl"
        >
          <Breakable text={props.title} />
        </h1>
      </div>
      <div className="flex flex-wrap items-center gap-2">{props.children}</div>
    </div>
  );
}
