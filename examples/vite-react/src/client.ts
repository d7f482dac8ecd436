import { createJobwireClient } from "@jobwire/client";
import type { App } from "../jobs.ts";

export const client = createJobwireClient<App>({ url: `${location.origin}/jobwire` });
