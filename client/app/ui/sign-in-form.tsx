import { type FormEvent, type ReactNode, useState } from "react";
import { useSignInStore } from "#client/app/use-sign-in.ts";
import { Button } from "./button.tsx";
import { TextField } from "./field.tsx";

/**
 * `user`: for password managers, which keep a name with each secret. `isSecond`: another way to sign in stands above, which
 * most people take.
 */
export function SignInForm(props: { user?: string; isSecond?: boolean; children?: ReactNode }) {
  const { isSecond = false } = props;
  const store = useSignInStore();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const field = event.currentTarget.querySelector<HTMLInputElement>("[name=credential]");
    const token = field?.value.trim() ?? "";
    if (token === "") {
      setError("Paste your API key or token.");
    } else {
      setBusy(true);
      setError(await store.signIn(token));
      setBusy(false);
    }
    field?.focus();
    field?.select();
  }

  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="space-y-5">
      <input
        type="text"
        name="username"
        autoComplete="username"
        readOnly
        hidden
        value={props.user ?? "Jobwire"}
      />
      <TextField
        id="credential"
        name="credential"
        type="password"
        label="API key or token"
        hint="You get one from the people who run this server."
        error={error}
        autoComplete="current-password"
        spellCheck={false}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- it is all that there is to do here
        autoFocus={!isSecond}
      />
      <div className="flex flex-wrap items-center justify-end gap-2">
        {props.children}
        <Button
          type="submit"
          tone={isSecond ? "plain" : "primary"}
          disabled={isBusy}
          className="px-5 py-2"
        >
          {isBusy ? "Signing in…" : "Sign in"}
        </Button>
      </div>
    </form>
  );
}
