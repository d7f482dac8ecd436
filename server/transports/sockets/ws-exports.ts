/** Exports of `ws` that its types lack, and the parts of them that this folder uses. Tests fail if they disappear. */
import * as ws from "ws";

/** Of one extension in `Sec-WebSocket-Extensions`: all values of each parameter. `true`: the parameter has no value. */
export type OfferedParameters = Readonly<Record<string, readonly (string | true)[]>>;

type Inflated = (error: Error | null, inflated?: Buffer) => void;

interface PerMessageDeflate {
  params: unknown;
  readonly _options: { readonly maxPayload: number };
  /** Bytes that a call of `decompress` may return. */
  _maxPayload: number;
  /** Inflates one fragment of a message. */
  decompress(data: Buffer, isLast: boolean, done: Inflated): void;
  /** Frees the inflater. */
  cleanup(): void;
}

interface Untyped {
  extension: {
    /** By name, all offers of each extension, in order. Throws a `SyntaxError`. */
    parse(header: string): Record<string, OfferedParameters[]>;
  };
  PerMessageDeflate: new (options: {
    readonly isServer: true;
    readonly maxPayload: number;
  }) => PerMessageDeflate;
}

export const { extension, PerMessageDeflate } = ws as unknown as Untyped;
