const refuse = () => {
  throw new Error("This must not be read.");
};
const withField = (field: string, descriptor: PropertyDescriptor) =>
  Object.defineProperty(new Error("plain"), field, { ...descriptor, configurable: true });

/** Values that foreign code can throw or return, each made to break code that only inspects it. */
export function hostileValues(): Record<string, unknown> {
  return {
    undefined: undefined,
    null: null,
    "a symbol": Symbol("odd"),
    "a bigint": 5n,
    "an object without a prototype": Object.create(null),
    "an object whose toString throws": { toString: refuse },
    "an object whose toString gives an object": { toString: () => ({}), valueOf: () => ({}) },
    "a proxy whose traps throw": new Proxy({}, new Proxy({}, { get: () => refuse })),
    "a proxy of an error whose traps throw": new Proxy(
      new Error("inside"),
      new Proxy({}, { get: () => refuse }),
    ),
    "an error whose message throws": withField("message", { get: refuse }),
    "an error whose fields throw": Object.defineProperties(new Error("plain"), {
      name: { get: refuse },
      stack: { get: refuse },
      code: { get: refuse },
      cause: { get: refuse },
      extra: { get: refuse, enumerable: true },
    }),
    "an error whose message is no text": withField("message", { value: Object.create(null) }),
    "an error with an endless message": new Error("x".repeat(5_000_000)),
    "a frozen error": Object.freeze(new Error("cold")),
    "text with half a character": `\ud800${"y".repeat(20_000)}\ud83d`,
  };
}
