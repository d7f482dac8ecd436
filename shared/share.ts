/** Stream tokens and share links: how a caller lets others watch one job or batch. */
import type { Maker } from "./checked-caller.ts";

/** A link as the engine stores it. */
export interface ShareLink {
  id: string;
  tenant: string;
  /** The stream that it shows: `job:<id>` or `batch:<id>`. */
  stream: string;
  maker: Maker;
  createdAt: Date;
  expiresAt: Date;
}

/** The address of a link in the store. */
export type ShareLinkRef = Pick<ShareLink, "tenant" | "stream" | "id">;

export interface ShareRequest {
  /** In seconds. */
  expiresIn?: number | undefined;
  /** True: a link, which lives for days and can be switched off. Absent: a stream token. */
  link?: boolean | undefined;
  /**
   * Of a stream token: names the viewer. A connection can be refreshed with the next token of the same viewer, and what limits a
   * user counts for all of them together. Absent: each token has a viewer of its own.
   */
  viewer?: string | undefined;
}

/** The request with its defaults. */
export interface ShareAsked extends ShareRequest {
  link: boolean;
}

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
