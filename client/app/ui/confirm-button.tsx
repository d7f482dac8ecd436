/** A button that asks for confirmation. */
import { type ReactNode, useId, useRef } from "react";
import { Button } from "./button.tsx";

export function ConfirmButton(props: {
  label: string;
  question: string;
  /** Its consequences. */
  detail: string;
  /** Fields below it. */
  children?: ReactNode;
  busy: boolean;
  onConfirm: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  return (
    <>
      <Button tone="danger" disabled={props.busy} onClick={() => dialog.current?.showModal()}>
        {props.label}
      </Button>
      <dialog
        ref={dialog}
        aria-labelledby={id}
        className="m-auto w-[min(28rem,calc(100%-2rem))] rounded-2xl border border-line bg-card p-6 text-ink shadow-xl"
      >
        <form method="dialog" className="space-y-4" onSubmit={props.onConfirm}>
          <h2 id={id} className="text-lg font-semibold text-balance wrap-anywhere">
            {props.question}
          </h2>
          <p className="text-sm text-muted">{props.detail}</p>
          {props.children}
          <div className="flex justify-end gap-2">
            <Button onClick={() => dialog.current?.close()}>Close</Button>
            <Button type="submit" tone="danger">
              {props.label}
            </Button>
          </div>
        </form>
      </dialog>
    </>
  );
}
