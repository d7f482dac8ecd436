/** The fields of a new schedule that say when it creates jobs. */
import { type EnteredTimes, type Unit, UNITS } from "#client/app/schedule-times.ts";
import { MAX_CRON_CHARS, MAX_TIME_ZONE_CHARS } from "#shared/limits.ts";
import { SelectField, TextField } from "./field.tsx";

const WAYS = [
  { value: "cron", text: "At times of the calendar" },
  { value: "interval", text: "At an interval" },
  { value: "once", text: "Once" },
] as const satisfies { value: EnteredTimes["by"]; text: string }[];

export function ScheduleTimesFields(props: {
  id: string;
  entered: EnteredTimes;
  /** The problem with the field of this name. */
  faultOf: (name: "cron" | "timeZone" | "everyMs" | "at") => string | undefined;
  onChange: (changed: Partial<EnteredTimes>) => void;
}) {
  const { id, entered, faultOf, onChange } = props;
  return (
    <>
      <SelectField
        id={`${id}-by`}
        label="Creates a job"
        options={WAYS}
        value={entered.by}
        onChange={({ target: { value } }) => onChange({ by: value as EnteredTimes["by"] })}
      />
      {entered.by === "cron" && (
        <>
          <TextField
            id={`${id}-cron`}
            label="Times"
            hint="Minute, hour, day of the month, month and day of the week, as cron has them"
            error={faultOf("cron")}
            maxLength={MAX_CRON_CHARS}
            spellCheck={false}
            value={entered.cron}
            onChange={(event) => onChange({ cron: event.target.value })}
          />
          <TextField
            id={`${id}-zone`}
            label="Time zone"
            error={faultOf("timeZone")}
            maxLength={MAX_TIME_ZONE_CHARS}
            spellCheck={false}
            value={entered.timeZone}
            onChange={(event) => onChange({ timeZone: event.target.value })}
          />
        </>
      )}
      {entered.by === "interval" && (
        <div className="grid grid-cols-2 gap-3">
          <TextField
            id={`${id}-every`}
            label="Every"
            hint="For the first time after one interval"
            error={faultOf("everyMs")}
            inputMode="decimal"
            autoComplete="off"
            value={entered.every}
            onChange={(event) => onChange({ every: event.target.value })}
          />
          <SelectField
            id={`${id}-unit`}
            label="Unit"
            options={Object.keys(UNITS).map((unit) => ({ value: unit, text: unit }))}
            value={entered.unit}
            onChange={({ target: { value } }) => onChange({ unit: value as Unit })}
          />
        </div>
      )}
      {entered.by === "once" && (
        <TextField
          id={`${id}-at`}
          label="Day and time"
          hint="In your own time zone"
          error={faultOf("at")}
          type="datetime-local"
          value={entered.at}
          onChange={(event) => onChange({ at: event.target.value })}
        />
      )}
    </>
  );
}
