import { useCreateJob, useJob } from "@jobwire/client/react";
import { type FormEvent, useState } from "react";
import { client } from "./client.ts";

const kind = client.kinds.columnSums;

export function ColumnSums() {
  const [csv, setCsv] = useState("item,price\nTea,3\nCake,4.5\n");
  const { mutate, data, error, isPending } = useCreateJob(kind);

  function submit(event: FormEvent) {
    event.preventDefault();
    mutate({ csv });
  }

  return (
    <main>
      <h1>Column sums</h1>
      <form onSubmit={submit}>
        <label>
          Table (CSV)
          <textarea rows={6} value={csv} onChange={(event) => setCsv(event.target.value)} />
        </label>
        <button disabled={isPending}>Add up</button>
      </form>
      {error && <p role="alert">{error.message}</p>}
      {data && <Sums id={data.id} />}
    </main>
  );
}

/** The job, live: also after a lost connection or a restart of the server. */
function Sums({ id }: { id: string }) {
  const { data: job, connection, error } = useJob(kind, id);
  if (error) return <p role="alert">{error.message}</p>;
  if (job === undefined) return <p>Loading …</p>;
  const { details, output } = job;
  return (
    <section>
      <progress max={100} value={job.progress} />
      <p role="status">
        {job.message}
        {details && ` (${details.rows} of ${details.of})`}
        {connection === "stale" && " – waiting for the server"}
      </p>
      {output && (
        <ul>
          {output.columns.map(({ name, sum, mean }) => (
            <li key={name}>
              {name}: {sum} in all, {mean} on average
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
