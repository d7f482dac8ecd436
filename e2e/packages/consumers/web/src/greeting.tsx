/** The hooks: creates a job, and shows its draft and its output. */
import {
  jobOptions,
  JobwireProvider,
  useConnection,
  useCreateJob,
  useJob,
  useJobs,
} from "@jobwire/client/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { client } from "./client.ts";

const queryClient = new QueryClient();
const { greetings, thumbnails } = client.kinds;

export function Greeting() {
  return (
    <QueryClientProvider client={queryClient}>
      <JobwireProvider client={client}>
        <Form />
      </JobwireProvider>
    </QueryClientProvider>
  );
}

function Form() {
  const [id, setId] = useState<string>();
  const { mutate, error } = useCreateJob(greetings, { onSuccess: (job) => setId(job.id) });
  const { data, draft, events } = useJob(greetings, id, { draft: true });
  const { data: jobs } = useJobs({ kind: "greetings" });
  const connection = useConnection();
  const greeting: string | null | undefined = data?.output;
  return (
    <section aria-label="Greeting">
      <button type="button" onClick={() => mutate({ name: "Ada" })}>
        Greet
      </button>
      <p>{error?.message}</p>
      <p id="draft">{draft.text}</p>
      <p id="greeting">{greeting}</p>
      <p id="counts">{`${connection}: ${jobs?.length} job, ${events.at(-1)?.status}`}</p>
    </section>
  );
}

/** Each line below `@ts-expect-error` must not compile. */
export function Wrong() {
  // @ts-expect-error: the job is one of a kind
  useJob(client.kinds.thumbnail, "id");
  // @ts-expect-error: ids are texts
  useJob(thumbnails, 7);
  const { data } = useJob(thumbnails, "id");
  // @ts-expect-error: there is no output before the job has ended
  void data.output.files;
  // @ts-expect-error: the details have no such field
  void data?.details?.finished;
  const { mutate } = useCreateJob(thumbnails);
  // @ts-expect-error: this is the input of another kind
  mutate({ name: "Ada" });
  // @ts-expect-error: there is no such status
  useJobs({ status: "DONE" });
  // @ts-expect-error: it needs a client
  void (<JobwireProvider>{null}</JobwireProvider>);
  return jobOptions(greetings, "id");
}
