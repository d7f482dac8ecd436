/**
 * Tells connections when the credential that let them in has ended. Connections with the same credential share one entry, and
 * all entries are looked at together:
 *
 *   watched ──┬─ hint that it may have ended ──► looked at ──► ended: told, once
 *      ▲      ├─ every LOOK_EVERY_MS ──────────►     │
 *      │      └─ first watched ────────────────►     │
 *      └──────────────── it counts, or that cannot be read ◄──┘
 */
import type { CheckedCaller } from "#shared/checked-caller.ts";
import type { CredentialHint } from "#shared/credential-hint.ts";
import type { ShareLinkRef } from "#shared/share.ts";
import { issuedTokenOf } from "./issued-token.ts";
import { isAbout, type IssuedToken } from "./revocation-check.ts";
import { hashOfTokenId } from "./token-hash.ts";

/** With the time for which an API key is kept after a read, an end whose hint was lost is found within 10 s. */
const LOOK_EVERY_MS = 4000;
/** Looked at in one read. */
const LOOK_SIZE = 1000;

/** A caller that authenticated with a credential of this server. */
export interface WatchedCaller extends Pick<
  CheckedCaller,
  "credential" | "signInId" | "maker" | "link" | "ticket"
> {
  readonly principal: { readonly userId: string; readonly tenantId: string };
}

export interface CredentialWatch {
  /** The listener is called once. Returns what stops it. */
  onEnd(caller: WatchedCaller, listener: () => void): () => void;
  hint(hint: CredentialHint): void;
  close(): void;
}

/** Each rejects if it cannot tell: what is open stays open then. Answers are in the order of what was asked. */
export interface CredentialReaders {
  areRevoked(tokens: readonly IssuedToken[]): Promise<boolean[]>;
  isKeyValid(keyHash: string): Promise<boolean>;
  haveSignIns(signInIds: readonly string[]): Promise<boolean[]>;
  areLinksOn(links: readonly ShareLinkRef[]): Promise<boolean[]>;
  holdTickets(tickets: readonly HeldTicket[]): Promise<boolean[]>;
}

/** A ticket, and the connection by it. */
export type HeldTicket = NonNullable<CheckedCaller["ticket"]>;

/** A class to save memory: most tokens let in one connection. */
class Watched {
  readonly name: string;
  readonly token: IssuedToken | undefined;
  readonly tokenHash: string | undefined;
  readonly tenant: string;
  readonly user: string;
  readonly keyHash: string | undefined;
  readonly signInId: string | undefined;
  readonly link: ShareLinkRef | undefined;
  readonly ticket: HeldTicket | undefined;
  readonly listeners = new Set<() => void>();

  constructor(name: string, caller: WatchedCaller) {
    this.name = name;
    this.tenant = caller.principal.tenantId;
    this.user = caller.maker?.user ?? caller.principal.userId;
    this.token = issuedTokenOf(caller);
    const id = this.token?.id ?? null;
    this.tokenHash = id === null ? undefined : hashOfTokenId(id);
    this.keyHash = caller.credential?.keyHash;
    this.signInId = caller.signInId ?? caller.maker?.signInId;
    this.link = caller.link;
    this.ticket = caller.ticket;
  }

  mayBe(hint: CredentialHint): boolean {
    return hint.kind === "key" ? hint.hash === this.keyHash : isAbout(hint, this);
  }
}

export function openCredentialWatch(
  readers: CredentialReaders,
  everyMs = LOOK_EVERY_MS,
): CredentialWatch {
  const watched = new Map<string, Watched>();
  /** By their parts, for the hints that every user can cause: such a hint costs one lookup. */
  const byPart = new Map<string, Set<Watched>>();
  let due = new Set<Watched>();
  let looking: Promise<void> | undefined;

  function add(each: Watched): void {
    watched.set(each.name, each);
    for (const part of partsOf(each)) {
      const set = byPart.get(part) ?? new Set();
      byPart.set(part, set.add(each));
    }
  }

  function remove(each: Watched): void {
    if (watched.get(each.name) !== each) return;
    watched.delete(each.name);
    for (const part of partsOf(each)) {
      const set = byPart.get(part);
      set?.delete(each);
      if (set?.size === 0) byPart.delete(part);
    }
  }

  async function lookAt(some: readonly Watched[]): Promise<void> {
    const ended = await endedOf(some, readers);
    for (const each of ended) {
      remove(each);
      const told = [...each.listeners];
      each.listeners.clear();
      for (const listener of told) listener();
    }
  }

  /** Those that become due in one turn of the event loop are looked at together. */
  function lookSoon(some: Iterable<Watched>): void {
    const isFirst = due.size === 0;
    for (const each of some) due.add(each);
    if (isFirst && due.size > 0) setImmediate(() => void lookAtDue());
  }

  async function lookAtDue(): Promise<void> {
    const some = [...due].filter(({ listeners }) => listeners.size > 0);
    due = new Set();
    await lookInTurn(some);
  }

  async function lookInTurn(some: readonly Watched[]): Promise<void> {
    for (let at = 0; at < some.length; at += LOOK_SIZE) {
      await lookAt(some.slice(at, at + LOOK_SIZE));
    }
  }

  const timer = setInterval(() => {
    looking ??= lookInTurn([...watched.values()]).finally(() => (looking = undefined));
  }, everyMs).unref();

  return {
    onEnd(caller, listener) {
      const name = nameOf(caller);
      const known = watched.get(name);
      const each = known ?? new Watched(name, caller);
      const registered = () => listener();
      each.listeners.add(registered);
      if (known === undefined) {
        add(each);
        // It may have ended since it was checked.
        lookSoon([each]);
      }
      return () => {
        each.listeners.delete(registered);
        if (each.listeners.size === 0) remove(each);
      };
    },
    hint(hint) {
      const isOfPart = hint.kind === "sign-in" || hint.kind === "link" || hint.kind === "ticket";
      if (isOfPart) lookSoon(byPart.get(`${hint.kind} ${hint.id}`) ?? []);
      else lookSoon(watched.values().filter((each) => each.mayBe(hint)));
    },
    close: () => clearInterval(timer),
  };
}

/** As hints name them. */
function partsOf({ signInId, link, ticket }: Watched): string[] {
  return [
    ...(signInId === undefined ? [] : [`sign-in ${signInId}`]),
    ...(link === undefined ? [] : [`link ${link.id}`]),
    ...(ticket === undefined ? [] : [`ticket ${ticket.id}`]),
  ];
}

/** The same for callers that end together. */
function nameOf({ principal, credential, signInId, maker, link, ticket }: WatchedCaller): string {
  const signIn = signInId ?? maker?.signInId;
  const user = maker?.user ?? principal.userId;
  const { keyHash, id, issuedAt } = credential ?? {};
  const own =
    signIn !== undefined
      ? ["sign-in", signIn]
      : keyHash !== undefined
        ? ["key", keyHash]
        : ["token", principal.tenantId, user, id, issuedAt];
  return JSON.stringify([...own, link?.id, ticket?.id, ticket?.holder]);
}

async function endedOf(
  some: readonly Watched[],
  { areRevoked, isKeyValid, haveSignIns, areLinksOn, holdTickets }: CredentialReaders,
): Promise<Set<Watched>> {
  const ended = new Set<Watched>();
  /** Asks about those that have such a part. One kind that cannot be read does not keep the others from ending. */
  async function ask<Part>(
    partOf: (each: Watched) => Part | undefined,
    read: (parts: readonly Part[]) => Promise<boolean[]>,
  ): Promise<void> {
    const parts = some.flatMap((each) => {
      const part = partOf(each);
      return part === undefined ? [] : [{ each, part }];
    });
    if (parts.length === 0) return;
    const answers = await read(parts.map(({ part }) => part)).catch(() => []);
    for (const [index, { each }] of parts.entries()) if (answers[index] === true) ended.add(each);
  }
  const hasKeyEnded = (keyHash: string) =>
    isKeyValid(keyHash).then(
      (isValid) => !isValid,
      () => false,
    );
  await Promise.all([
    ask(({ token }) => token, areRevoked),
    ask(
      ({ keyHash }) => keyHash,
      (hashes) => Promise.all(hashes.map(hasKeyEnded)),
    ),
    ask(
      ({ signInId }) => signInId,
      async (ids) => (await haveSignIns(ids)).map((has) => !has),
    ),
    ask(
      ({ link }) => link,
      async (links) => (await areLinksOn(links)).map((isOn) => !isOn),
    ),
    ask(
      ({ ticket }) => ticket,
      async (tickets) => (await holdTickets(tickets)).map((holds) => !holds),
    ),
  ]);
  return ended;
}
