import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CredentialHint } from "#shared/credential-hint.ts";
import { AppError } from "#shared/errors.ts";
import type { ShareLinkRef } from "#shared/share.ts";
import { type HeldTicket, openCredentialWatch, type WatchedCaller } from "./credential-watch.ts";
import type { IssuedToken } from "./revocation-check.ts";
import { hashOfTokenId } from "./token-hash.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ANN = { userId: "ann", tenantId: "acme" };
const BOB = { userId: "bob", tenantId: "acme" };
const byKey = (keyHash: string, principal = ANN): WatchedCaller => ({
  principal,
  credential: { kind: "key", id: null, keyHash },
});
const byToken = (id: string | null, issuedAt = 5, principal = ANN): WatchedCaller => ({
  principal,
  credential: { kind: "token", id, issuedAt },
});
const bySignIn = (signInId: string, caller: WatchedCaller): WatchedCaller => ({
  ...caller,
  signInId,
});

/** With a stream token of a maker. */
const shared = (maker: WatchedCaller, given: Partial<WatchedCaller> = {}): WatchedCaller => ({
  principal: { userId: "viewer:1", tenantId: "acme" },
  credential: maker.credential,
  maker: {
    user: maker.principal.userId,
    credential: maker.credential ?? { kind: "token", id: null },
    signInId: maker.signInId,
  },
  ...given,
});
const LINK = { link: { tenant: "acme", stream: "job:1", id: "l" } };
const TICKET = { ticket: { tenant: "acme", user: "ann", id: "t", holder: "h" } };

/** A watch of credentials that count until their names are in `over`. */
function openTestWatch() {
  const over = new Set<string>();
  let isAway = false;
  const answer = <T>(value: T) => {
    if (isAway) throw new AppError("UNAVAILABLE", "Away.");
    return value;
  };
  const isOver = ({ id, user, issuedAt }: IssuedToken) =>
    over.has(`token ${id}`) || (over.has(`user ${user}`) && issuedAt < 10);
  const readers = {
    areRevoked: vi.fn<(tokens: readonly IssuedToken[]) => Promise<boolean[]>>(async (tokens) =>
      answer(tokens.map(isOver)),
    ),
    isKeyValid: vi.fn<(hash: string) => Promise<boolean>>(async (hash) =>
      answer(!over.has(`key ${hash}`)),
    ),
    haveSignIns: vi.fn<(ids: readonly string[]) => Promise<boolean[]>>(async (ids) =>
      answer(ids.map((id) => !over.has(`sign-in ${id}`))),
    ),
    areLinksOn: vi.fn<(links: readonly ShareLinkRef[]) => Promise<boolean[]>>(async (links) =>
      answer(links.map(({ id }) => !over.has(`link ${id}`))),
    ),
    holdTickets: vi.fn<(tickets: readonly HeldTicket[]) => Promise<boolean[]>>(async (tickets) =>
      answer(tickets.map(({ id }) => !over.has(`ticket ${id}`))),
    ),
  };
  const watch = openCredentialWatch(readers, 4000);
  const ended: string[] = [];
  const calls = () =>
    Object.values(readers).reduce((sum, reader) => sum + reader.mock.calls.length, 0);
  return {
    ...watch,
    ...readers,
    calls,
    over,
    ended,
    onEnd: (name: string, caller: WatchedCaller) => watch.onEnd(caller, () => ended.push(name)),
    setAway: (away: boolean) => void (isAway = away),
  };
}
const sizes = (reader: { mock: { calls: [parts: readonly unknown[]][] } }) =>
  reader.mock.calls.map(([parts]) => parts.length);
const soon = () => vi.advanceTimersByTimeAsync(1);

const KINDS: [kind: string, caller: WatchedCaller, over: string, hint: CredentialHint][] = [
  ["an API key", byKey("k"), "key k", { kind: "key", hash: "k" }],
  ["a token", byToken("t"), "token t", { kind: "token", tenant: "acme", hash: hashOfTokenId("t") }],
  ["a user's token", byToken(null), "user ann", { kind: "user", tenant: "acme", user: "ann" }],
  ["a sign-in", bySignIn("s", byToken(null)), "sign-in s", { kind: "sign-in", id: "s" }],
  ["the key of a sign-in", bySignIn("s", byKey("k")), "key k", { kind: "key", hash: "k" }],
  [
    "the token of a sign-in",
    bySignIn("s", byToken("t")),
    "token t",
    { kind: "token", tenant: "acme", hash: hashOfTokenId("t") },
  ],
  [
    "the user of a sign-in",
    bySignIn("s", byToken("t")),
    "user ann",
    { kind: "user", tenant: "acme", user: "ann" },
  ],
  ["the key of a maker", shared(byKey("k")), "key k", { kind: "key", hash: "k" }],
  [
    "the token of a maker",
    shared(byToken("t")),
    "token t",
    { kind: "token", tenant: "acme", hash: hashOfTokenId("t") },
  ],
  [
    "the user of a maker",
    shared(byToken(null)),
    "user ann",
    { kind: "user", tenant: "acme", user: "ann" },
  ],
  [
    "the sign-in of a maker",
    shared(bySignIn("s", byToken(null))),
    "sign-in s",
    { kind: "sign-in", id: "s" },
  ],
  ["a share link", shared(byToken(null), LINK), "link l", { kind: "link", id: "l" }],
  [
    "a ticket that another connection took",
    { ...byToken(null), ...TICKET },
    "ticket t",
    { kind: "ticket", id: "t" },
  ],
  [
    "the sign-in behind a ticket",
    bySignIn("s", { ...byToken(null), ...TICKET }),
    "sign-in s",
    { kind: "sign-in", id: "s" },
  ],
];

describe.each(KINDS)("the end of %s", (_kind, caller, over, hint) => {
  test("[P13] that is hinted at reaches each that it let in, once", async () => {
    const watch = openTestWatch();
    watch.onEnd("one", caller);
    watch.onEnd("two", caller);
    watch.onEnd("stopped", caller)();
    await soon();
    watch.over.add(over);
    watch.hint(hint);
    watch.hint(hint);
    await soon();
    expect(watch.ended).toEqual(["one", "two"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(watch.ended).toEqual(["one", "two"]);
    watch.close();
  });

  test("[P13] whose hint was lost is found at the next look", async () => {
    const watch = openTestWatch();
    watch.onEnd("one", caller);
    await soon();
    watch.over.add(over);
    await vi.advanceTimersByTimeAsync(4000);
    expect(watch.ended).toEqual(["one"]);
    watch.close();
  });

  test("[P13] between its check and the watch is found at once", async () => {
    const watch = openTestWatch();
    watch.over.add(over);
    watch.onEnd("one", caller);
    await soon();
    expect(watch.ended).toEqual(["one"]);
    watch.close();
  });

  test("[P15] ends nothing while the data cannot be read", async () => {
    const watch = openTestWatch();
    watch.onEnd("one", caller);
    await soon();
    watch.over.add(over);
    watch.setAway(true);
    watch.hint(hint);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(watch.ended).toEqual([]);
    watch.setAway(false);
    await vi.advanceTimersByTimeAsync(4000);
    expect(watch.ended).toEqual(["one"]);
    watch.close();
  });

  test("[P13] ends no other, and a hint alone ends nothing", async () => {
    const watch = openTestWatch();
    watch.onEnd("hers", caller);
    watch.onEnd("later", byToken("later", 10));
    for (const principal of [BOB, { userId: "ann", tenantId: "bakery" }]) {
      watch.onEnd("other", byToken("o", 5, { ...principal, userId: "carl" }));
      watch.onEnd("other", byKey("o", principal));
      watch.onEnd("other", bySignIn("o", byKey("o", principal)));
    }
    await soon();
    watch.hint(hint);
    watch.hint({ kind: "any" });
    await soon();
    expect(watch.ended).toEqual([]);
    watch.over.add(over);
    watch.hint({ kind: "any" });
    await soon();
    expect(watch.ended).toEqual(["hers"]);
    watch.close();
  });
});

test("many connections of a credential cost one look at it, and none is left when they have gone", async () => {
  const watch = openTestWatch();
  const stops = Array.from({ length: 1000 }, () => watch.onEnd("a", byToken("t")));
  await vi.advanceTimersByTimeAsync(4000);
  expect(watch.areRevoked.mock.calls.map(([tokens]) => tokens.length)).toEqual([1, 1]);
  for (const stop of stops) stop();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(watch.calls()).toBe(2);
  watch.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("many credentials are looked at together, a thousand in a read", async () => {
  const watch = openTestWatch();
  for (let n = 0; n < 2500; n++) {
    watch.onEnd("t", byToken(`${n}`));
    watch.onEnd("s", bySignIn(`${n}`, byToken(`${n}`)));
  }
  await soon();
  expect(sizes(watch.areRevoked)).toEqual([1000, 1000, 1000, 1000, 1000]);
  expect(sizes(watch.haveSignIns).reduce((sum, size) => sum + size)).toBe(2500);
  await vi.advanceTimersByTimeAsync(4000);
  expect(watch.areRevoked).toHaveBeenCalledTimes(10);
  watch.close();
});

test("a hint costs a look at those that it may be about, and one of a sign-in elsewhere none", async () => {
  const watch = openTestWatch();
  watch.onEnd("t", byToken("t"));
  watch.onEnd("u", byToken("u"));
  watch.onEnd("s", bySignIn("s", byToken("v")));
  await soon();
  const before = watch.calls();
  watch.hint({ kind: "sign-in", id: "elsewhere" });
  watch.hint({ kind: "key", hash: "elsewhere" });
  watch.hint({ kind: "user", tenant: "bakery", user: "ann" });
  await soon();
  expect(watch.calls()).toBe(before);
  watch.hint({ kind: "token", tenant: "acme", hash: hashOfTokenId("t") });
  await soon();
  expect(watch.areRevoked.mock.calls.at(-1)?.[0].map(({ id }) => id)).toEqual(["t"]);
  watch.close();
});
