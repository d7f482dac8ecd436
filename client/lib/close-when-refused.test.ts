import { TRPCClientError } from "@trpc/client";
import type { Operation, OperationResultEnvelope } from "@trpc/client";
import { observable, type Observer } from "@trpc/server/observable";
import { expect, test } from "vitest";
import type { ApiRouter } from "#shared/api.ts";
import { closeWhenRefused } from "./close-when-refused.ts";
import { codeOfRefusal } from "./token-links.ts";

type Value = OperationResultEnvelope<unknown, TRPCClientError<ApiRouter>>;
type Sub = Observer<Value, TRPCClientError<ApiRouter>>;

function refusal(code: string): TRPCClientError<ApiRouter> {
  const error = { code: -32001, message: "No", data: { appCode: code } };
  return TRPCClientError.from({ error } as never);
}

const isForGood = (error: unknown) => codeOfRefusal(error) !== undefined;

function openLink() {
  let closed = 0;
  const link = closeWhenRefused(() => void (closed += 1), isForGood)({});
  const op = { type: "subscription", path: "feed.onUpdate" } as Operation;
  function subscribe() {
    let end: Sub | undefined;
    const next = () => observable<Value, TRPCClientError<ApiRouter>>((each) => void (end = each));
    const subscription = link({ op, next }).subscribe({});
    if (end === undefined) throw new Error("It did not subscribe.");
    return { server: end, leave: () => subscription.unsubscribe() };
  }
  return { subscribe, closed: () => closed };
}
const DATA = { result: { type: "data", data: 1 } } as Value;

test.each(["UNAUTHENTICATED", "TOKEN_EXPIRED"])(
  "[P13] after %s the socket closes with the last subscription",
  (code) => {
    const { subscribe, closed } = openLink();
    const [one, two] = [subscribe(), subscribe()];
    one.server.error(refusal(code));
    expect(closed()).toBe(0);
    two.server.error(refusal(code));
    expect(closed()).toBe(1);
  },
);

test("the socket stays open after other errors, and when the server serves again", () => {
  const { subscribe, closed } = openLink();
  const gone = subscribe();
  gone.server.error(refusal("NOT_FOUND"));
  const [one, two] = [subscribe(), subscribe()];
  one.server.error(refusal("UNAUTHENTICATED"));
  two.server.next(DATA);
  two.leave();
  expect(closed()).toBe(0);
});
