import { expect, test } from "vitest";
import { serializeOutput } from "#server/transports/trpc/output-envelope.ts";
import { transformer } from "./transformer.ts";

test("[J13] outputs keep all their keys without changing any prototype, and dates stay dates", () => {
  const payload = '{"__proto__":{"constructor":1},"prototype":[{"__proto__":null}]}';
  const sent = serializeOutput({ at: new Date(0), output: JSON.parse(payload) as unknown });
  const received = JSON.parse(JSON.stringify(sent)) as typeof sent;
  const { at, output } = transformer.deserialize(received) as { at: Date; output: object };
  expect(at).toEqual(new Date(0));
  expect(JSON.stringify(output)).toBe(payload);
  expect(Object.getPrototypeOf(output)).toBe(Object.prototype);
});
