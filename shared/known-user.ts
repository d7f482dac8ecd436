/** The users that a server knows of: those who have jobs, API keys or sign-ins, and those who were revoked. */

/** A user in its tenant: `{ tenant: "acme", user: "ann" }`. */
export interface UserRef {
  tenant: string;
  user: string;
}

export interface KnownUser extends UserRef {
  /** Stored jobs, settled or not. */
  jobs: number;
  /** Those that are valid. */
  apiKeys: number;
  signIns: number;
  /** Tokens that were issued before it have ended. */
  revokedBefore: Date | null;
}

/** Ordered by tenant and user. */
export interface UserPage {
  items: KnownUser[];
  /** The `after` of the next page; `null`: there is none. */
  next: UserRef | null;
}

export interface UserQuery {
  /** Absent: the users of all tenants. */
  tenant?: string | undefined;
  /** `next` of the page before. */
  after?: UserRef | null | undefined;
}
