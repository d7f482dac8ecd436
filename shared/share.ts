/** Stream tokens and share links: how a caller lets others watch one job or batch. */
import { z } from "zod";
import { Maker } from "./checked-caller.ts";
import { isStreamName } from "./scopes.ts";
import { Time } from "./time.ts";

/** A link as the engine stores it. */
export const ShareLink = z.object({
  id: z.uuid(),
  tenant: z.string(),
  /** The stream that it shows: `job:<id>` or `batch:<id>`. */
  stream: z.string().refine(isStreamName),
  maker: Maker,
  createdAt: Time,
  expiresAt: Time,
});
export type ShareLink = z.infer<typeof ShareLink>;

/** What finds a link. */
export type ShareLinkRef = Pick<ShareLink, "tenant" | "stream" | "id">;
