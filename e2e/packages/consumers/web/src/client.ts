import { createJobwireClient } from "@jobwire/client";
import type { App } from "../../server/jobs.ts";

export const client = createJobwireClient<App>({ url: `${location.origin}/jobwire` });
