import { Download } from "lucide-react";
import { Button } from "./button.tsx";

/** `name`: of the file; `type`: its media type. */
export function SaveButton(props: { label: string; name: string; type: string; text: string }) {
  return (
    <Button
      onClick={() => {
        const url = URL.createObjectURL(new Blob([props.text], { type: props.type }));
        const link = Object.assign(document.createElement("a"), {
          href: url,
          download: props.name,
        });
        link.click();
        URL.revokeObjectURL(url);
      }}
    >
      <Download aria-hidden className="size-4" />
      {props.label}
    </Button>
  );
}
