/** A button that opens the share links of a job or batch: to make one, to copy it, and to switch them off. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Share2 } from "lucide-react";
import { useId, useRef, useState } from "react";
import { addressOf } from "#client/app/base.ts";
import { requestErrorMessage } from "#client/app/request-error.ts";
import { SHARE_PATH } from "#client/app/shared-stream.ts";
import { type SharedRef, useMayShare, useSharing } from "#client/app/use-sharing.ts";
import type { Owner } from "#shared/principal.ts";
import { Breakable } from "./breakable.tsx";
import { Button } from "./button.tsx";
import { Notice } from "./notice.tsx";

const DAY_S = 86_400;
const LIVES = [
  { days: 1, label: "1 day" },
  { days: 7, label: "7 days" },
  { days: 30, label: "30 days" },
] as const;
const clock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function ShareButton({ of, record }: { of: SharedRef; record: Owner }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  if (!useMayShare(record)) return null;
  return (
    <>
      <Button
        onClick={() => {
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        <Share2 aria-hidden className="size-4" />
        Share
      </Button>
      <dialog
        ref={dialog}
        aria-labelledby={id}
        onClose={() => setOpen(false)}
        className="m-auto w-[min(32rem,calc(100%-2rem))] rounded-2xl border border-line bg-card p-6 text-ink shadow-xl"
      >
        <h2 id={id} className="mb-1 text-lg font-semibold">
          Share by a link
        </h2>
        <p className="mb-4 text-sm text-muted">
          All who have the link see {"jobId" in of ? "this job" : "the progress of this batch"}{" "}
          until the link ends. They can change nothing, and they see nothing else.
        </p>
        {isOpen && <Links of={of} />}
        <div className="mt-6 flex justify-end">
          <Button onClick={() => dialog.current?.close()}>Close</Button>
        </div>
      </dialog>
    </>
  );
}

function Links({ of }: { of: SharedRef }) {
  const { list, share, unshare } = useSharing(of);
  const [days, setDays] = useState(7);
  const id = useId();
  const links = useQuery({ queryKey: ["jobwire", "links", of], queryFn: list, staleTime: 0 });
  const make = useMutation({
    mutationFn: () => share(days * DAY_S),
    onSettled: () => links.refetch(),
  });
  const end = useMutation({ mutationFn: unshare, onSettled: () => links.refetch() });
  const error = make.error ?? end.error ?? links.error;
  const made = links.data?.find(({ linkId }) => linkId === make.data?.linkId);
  const others = links.data?.filter((link) => link !== made) ?? [];

  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-end gap-2">
        <div>
          <label htmlFor={id} className="mb-1 block text-sm font-medium">
            It ends after
          </label>
          <select
            id={id}
            value={days}
            onChange={(event) => setDays(Number(event.target.value))}
            className="rounded-lg border border-line bg-page px-3 py-1.5 text-sm"
          >
            {LIVES.map((life) => (
              <option key={life.days} value={life.days}>
                {life.label}
              </option>
            ))}
          </select>
        </div>
        <Button tone="primary" disabled={make.isPending} onClick={() => make.mutate()}>
          Make a link
        </Button>
      </div>
      {error !== null && (
        <Notice tone="bad" title="That did not work">
          {requestErrorMessage(error)}
        </Notice>
      )}
      {make.data !== undefined && made !== undefined && (
        <NewLink
          key={made.linkId}
          url={`${addressOf(SHARE_PATH)}#${make.data.token}`}
          ends={made.expiresAt}
        />
      )}
      {links.data !== undefined && links.data.length > 0 && (
        <section aria-label="Active links">
          <h3 className="mb-2 text-sm font-semibold">Active links</h3>
          <ul className="divide-y divide-line text-sm">
            {[...(made === undefined ? [] : [made]), ...others].map((link) => (
              <li key={link.linkId} className="flex items-center gap-3 py-2">
                <p className="min-w-0 flex-1">
                  Ends {clock.format(link.expiresAt)}
                  <span className="block text-muted">
                    made {clock.format(link.createdAt)} by <Breakable text={link.createdBy} />
                  </span>
                </p>
                <Button
                  tone="danger"
                  disabled={end.isPending}
                  onClick={() => end.mutate(link.linkId)}
                >
                  Switch off
                </Button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** The address is shown once: the server does not keep it. */
function NewLink({ url, ends }: { url: string; ends: Date }) {
  const [isCopied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();

  async function copy(): Promise<void> {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(url);
      setCopied(true);
    } catch {
      // Only pages over https, or of this machine, may write to the clipboard. The address is selected.
    }
  }

  return (
    <div className="rounded-xl border border-line bg-page p-3">
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        The new link
      </label>
      <div className="flex gap-2">
        <input
          ref={field}
          id={id}
          readOnly
          value={url}
          onFocus={(event) => event.target.select()}
          className="min-w-0 flex-1 rounded-lg border border-line bg-card px-3 py-1.5 text-sm"
        />
        <Button onClick={() => void copy()}>Copy</Button>
      </div>
      <p role="status" className="mt-2 text-sm text-muted">
        {isCopied ? "Copied. " : "Copy it now: it is shown only once. "}
        It ends {clock.format(ends)}.
      </p>
    </div>
  );
}
