import { FileUp } from "lucide-react";
import { type DragEvent, useState } from "react";

/** A field for CSV text that also takes a file, dropped or chosen. */
export function CsvField(props: {
  text: string;
  onEdit(text: string): void;
  onFile(file: File): void;
}) {
  const [dragging, setDragging] = useState(false);

  function onDrop(event: DragEvent) {
    event.preventDefault();
    setDragging(false);
    const [file] = event.dataTransfer.files;
    if (file !== undefined) props.onFile(file);
  }

  return (
    <div
      onDragOver={(event) => {
        event.preventDefault();
        setDragging(true);
      }}
      onDragLeave={() => setDragging(false)}
      onDrop={onDrop}
    >
      <label htmlFor="csv" className="mb-1 block text-sm font-medium">
        CSV
      </label>
      <textarea
        id="csv"
        rows={8}
        spellCheck={false}
        value={props.text}
        aria-describedby="csv-hint"
        placeholder={
          "publisher,target,anchor\nexample.com,https://shop.example/page,the text of the link"
        }
        onChange={(event) => props.onEdit(event.target.value)}
        className={`w-full rounded-lg border bg-page px-3 py-2 font-mono text-sm placeholder:text-muted ${
          dragging ? "border-accent ring-2 ring-accent" : "border-line"
        }`}
      />
      <div id="csv-hint" className="mt-1 flex flex-wrap items-center gap-x-3 text-sm text-muted">
        <span>Paste rows here, drop a file, or</span>
        <label className="inline-flex cursor-pointer items-center gap-1.5 font-medium text-accent underline underline-offset-2 focus-within:outline-2 focus-within:outline-offset-2">
          <FileUp aria-hidden className="size-4" />
          choose a file
          <input
            type="file"
            accept=".csv,.tsv,.txt,text/csv,text/plain,text/tab-separated-values"
            className="sr-only"
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              if (file !== undefined) props.onFile(file);
              // Allows the same file to be chosen again once it is corrected: its name does not change.
              event.target.value = "";
            }}
          />
        </label>
      </div>
    </div>
  );
}
