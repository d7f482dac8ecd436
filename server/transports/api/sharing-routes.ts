/** Stream tokens and share links of jobs and batches. */
import { z } from "zod";
import { BatchId, JobId } from "#server/jobs/inputs.ts";
import { ShareAskedSchema } from "#shared/share.schema.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";

const OneLink = z.object({ linkId: z.uuid() });

function sharingOf(
  stream: "job" | "batch",
  { folder, field, id }: { folder: string; field: string; id: z.ZodObject },
): readonly Route[] {
  const path = `/${folder}/{${field}}/shares`;
  const named = stream === "job" ? "Job" : "Batch";
  const of = (input: unknown) => ({
    stream,
    id: (input as Record<string, string>)[field] ?? "",
  });
  return [
    route({
      method: "POST",
      path,
      operationId: `share${named}`,
      summary: `Make a stream token or a share link of a ${stream}`,
      tag: "Sharing",
      answer: {
        procedure: `${stream}.share`,
        input: id.extend(ShareAskedSchema.shape),
        status: 201,
        output: ANSWERS.Share,
        run: ({ caller, sharing }, input) => {
          const { [field]: _, ...asked } = input;
          return sharing.share(caller, of(input), ShareAskedSchema.parse(asked));
        },
        secret: true,
      },
    }),
    route({
      method: "GET",
      path,
      operationId: `list${named}Shares`,
      summary: `List the share links of a ${stream}`,
      tag: "Sharing",
      answer: {
        procedure: `${stream}.links`,
        input: id,
        status: 200,
        output: ANSWERS.ShareLinks,
        run: ({ caller, sharing }, input) => sharing.list(caller, of(input)),
      },
    }),
    route({
      method: "DELETE",
      path,
      operationId: `delete${named}Shares`,
      summary: `Switch all share links of a ${stream} off`,
      tag: "Sharing",
      answer: {
        procedure: `${stream}.unshare`,
        input: id,
        status: 200,
        output: ANSWERS.Removed,
        run: async ({ caller, sharing }, input) => ({
          removed: await sharing.unshare(caller, of(input), undefined),
        }),
      },
    }),
    route({
      method: "DELETE",
      path: `${path}/{linkId}`,
      operationId: `delete${named}Share`,
      summary: `Switch a share link of a ${stream} off`,
      tag: "Sharing",
      answer: {
        procedure: `${stream}.unshare`,
        input: id.extend(OneLink.shape),
        status: 200,
        output: ANSWERS.Removed,
        run: async ({ caller, sharing }, input) => ({
          removed: await sharing.unshare(caller, of(input), OneLink.parse(input).linkId),
        }),
      },
    }),
  ];
}

export const SHARING_ROUTES: readonly Route[] = [
  ...sharingOf("job", { folder: "jobs", field: "jobId", id: JobId }),
  ...sharingOf("batch", { folder: "batches", field: "batchId", id: BatchId }),
];
