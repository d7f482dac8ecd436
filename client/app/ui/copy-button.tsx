import { Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "./button.tsx";

export function CopyButton(props: { label: string; text: string }) {
  const [done, setDone] = useState(false);
  return (
    <Button
      onClick={() => {
        void navigator.clipboard.writeText(props.text).then(() => setDone(true));
      }}
    >
      <Copy aria-hidden className="size-4" />
      <span aria-live="polite">{done ? "Copied" : props.label}</span>
    </Button>
  );
}
