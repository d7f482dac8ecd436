/** Exports of `ws` that its types lack, and the parts of them that this folder uses. Tests fail if they disappear. */
import * as ws from "ws";

/** Of one extension in `Sec-WebSocket-Extensions`: all values of each parameter. `true`: the parameter has no value. */
export type OfferedParameters = Readonly<Record<string, readonly (string | true)[]>>;

interface Untyped {
  extension: {
    /** By name, all offers of each extension, in order. Throws a `SyntaxError`. */
    parse(header: string): Record<string, OfferedParameters[]>;
  };
}

export const { extension } = ws as unknown as Untyped;
