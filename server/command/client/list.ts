/** `jobwire list`: the caller's jobs. */
import { type Command, Option } from "commander";
import { allPages } from "#server/command/all-pages.ts";
import type { CommandContext } from "#server/command/context.ts";
import { printable } from "#server/command/printable.ts";
import { formatTable, formatTime } from "#server/command/table.ts";
import { cutText } from "#shared/cut-text.ts";
import { JOB_STATUSES, type JobSummary } from "#shared/job.ts";
import { openApi } from "./api.ts";
import { checkIds } from "./ids.ts";
import { wholeOf } from "./queue-options.ts";

interface ListOptions {
  status?: string;
  kind?: string;
  batch?: string;
  limit: string;
  json?: true;
}

/** As JSON has it. */
type Listed = Omit<JobSummary, "createdAt"> & { createdAt: string };

const TEXT_CHARS = 60;

export function addListCommand(program: Command, { env, stdout }: CommandContext): void {
  program
    .command("list")
    .description("prints jobs, newest first")
    .addOption(new Option("--status <status>", "only those with it").choices(JOB_STATUSES))
    .option("--kind <kind>", "only those of this kind")
    .option("--batch <id>", "only those of this batch")
    .option("--limit <number>", "so many at most", "50")
    .option("--json", "print their records as JSON, one a line")
    .action(async ({ status, kind, batch, limit, json }: ListOptions) => {
      const api = openApi(env);
      const [batchId] = batch === undefined ? [] : checkIds([batch]);
      const most = wholeOf("--limit", limit);
      const jobs = await allPages<Listed>(
        ({ cursor, limit: size }) =>
          api.call("GET", "/jobs", {
            query: { status, kind, batchId, cursor, limit: String(size) },
          }),
        most,
      );
      if (json) return void stdout.write(jobs.map((each) => `${JSON.stringify(each)}\n`).join(""));
      if (jobs.length === 0) return void stdout.write("There are no such jobs.\n");
      const head = ["ID", "STATUS", "%", "KIND", "CREATED", "TITLE"];
      stdout.write(formatTable(head, jobs.map(rowOf)));
    });
}

function rowOf({ id, status, progress, kind, createdAt, title }: Listed): string[] {
  const created = formatTime(new Date(createdAt));
  return [
    id,
    status,
    `${progress}`,
    printable(kind),
    created,
    cutText(printable(title), TEXT_CHARS),
  ];
}
