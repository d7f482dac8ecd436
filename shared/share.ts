/** Stream tokens and share links: how a caller lets others watch one job or batch. */
import { z } from "zod";
import { Maker } from "./checked-caller.ts";
import { ILL_FORMED, isWellFormed } from "./cut-text.ts";
import { MAX_VIEWER_CHARS } from "./limits.ts";
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

/** The address of a link in the store. */
export type ShareLinkRef = Pick<ShareLink, "tenant" | "stream" | "id">;

export const ShareAsked = z.object({
  /** In seconds. */
  expiresIn: z.int().min(1).optional(),
  /** True: a link, which lives for days and can be switched off. */
  link: z.boolean().default(false),
  /**
   * Of a stream token: names the viewer. A connection can be refreshed with the next token of the same viewer, and what limits a
   * user counts for all of them together. Absent: each token has a viewer of its own.
   */
  viewer: z
    .string()
    .min(1)
    .max(MAX_VIEWER_CHARS)
    .refine(isWellFormed, `It ${ILL_FORMED}.`)
    .optional(),
});
export type ShareAsked = z.infer<typeof ShareAsked>;

/** A new stream token or link. The token is shown once. */
export interface Share {
  token: string;
  expiresAt: Date;
  /** `null`: no link, but a stream token. */
  linkId: string | null;
}

/** A link in a list. */
export interface SharedLink {
  linkId: string;
  /** The user that made it. */
  createdBy: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface Ticket {
  /** For the address of the stream: `?ticket=` */
  ticket: string;
  /** It must be opened before this moment. */
  openBefore: Date;
  /** From then on it counts no more, opened or not. */
  expiresAt: Date;
}
