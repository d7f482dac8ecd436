import { pluralize } from "#shared/pluralize.ts";
import type { CsvText } from "./use-csv-text.ts";
import { Notice } from "#client/app/ui/notice.tsx";

/** Shows the encoding of a file, because only a person can notice a wrong guess. */
export function CsvEncoding({ loaded }: { loaded: NonNullable<CsvText["loaded"]> }) {
  if (loaded.problem !== undefined) {
    return (
      <Notice tone="bad" title="This file cannot be read">
        {loaded.problem}
      </Notice>
    );
  }
  if (loaded.encoding === "Windows-1252") {
    return (
      <Notice tone="warn" title={`“${loaded.name}” was read as Windows-1252`}>
        It is not UTF-8. If letters such as é or ö look wrong here, save it as “CSV UTF-8” and
        choose it again.
      </Notice>
    );
  }
  if (loaded.broken > 0) {
    return (
      <Notice tone="warn" title={`“${loaded.name}” was read as UTF-8, but not all of it`}>
        {pluralize(loaded.broken, "byte")} in it {loaded.broken === 1 ? "is" : "are"} not UTF-8.
        Rows with such bytes are marked below: correct them there, or save the file as “CSV UTF-8”
        and choose it again.
      </Notice>
    );
  }
  return (
    <p className="text-sm break-words text-muted">
      “{loaded.name}” was read as {loaded.encoding}.
    </p>
  );
}
