/**
 * An attack: inputs of one kind on one transport, each with the answer that its sender must get. The tests run every
 * attack against a real server; the bench measures how long other clients wait meanwhile.
 */
export interface Target {
  readonly host: string;
  readonly port: number;
}

export type Transport =
  | "HTTP"
  | "SSE"
  | "tRPC WebSocket"
  | "Socket.IO WebSocket"
  | "Socket.IO polling"
  | "a page";

export interface Attack {
  readonly name: string;
  readonly over: Transport;
  readonly inputs: readonly Input[];
  /** The inputs are sent together. */
  readonly atOnce?: boolean;
  /** MiB that the server may need above its resting size while this goes on. */
  readonly peakMib?: number;
}

/** One input. */
export interface Input {
  readonly what: string;
  readonly gets: Expected;
  send(target: Target): Promise<Outcome>;
}

/** The sender's view. */
export interface Outcome {
  /** Of the last HTTP response. */
  readonly status?: number | undefined;
  /** Everything that was read: bodies, or the texts of frames. */
  readonly text: string;
  /** The server ended the connection: the close code where that is known, otherwise 1006. */
  readonly closed?: number | undefined;
}

/** Absent members are not judged. */
export interface Expected {
  readonly status?: readonly number[];
  /** Every one of them is in the text. */
  readonly says?: readonly RegExp[];
  readonly saysNot?: RegExp;
  /** `true`: the server ends the connection. */
  readonly closed?: boolean;
  readonly atMostBytes?: number;
}

export const MIB = 1024 * 1024;
const SHOWN = 300;

/** In words; empty where the sender got what it must get. */
export function faultsOf({ what, gets }: Input, got: Outcome): string[] {
  const { status, says = [], saysNot, closed, atMostBytes = Infinity } = gets;
  const wrong: string[] = [];
  if (status !== undefined && !status.includes(got.status ?? 0)) {
    wrong.push(`status ${got.status}, not ${status.join(" or ")}`);
  }
  for (const pattern of says) if (!pattern.test(got.text)) wrong.push(`does not say ${pattern}`);
  if (saysNot?.test(got.text) === true) wrong.push(`says ${saysNot}`);
  if (closed !== undefined && closed !== (got.closed !== undefined)) {
    wrong.push(closed ? "the connection stays open" : `closed with ${got.closed}`);
  }
  if (got.text.length > atMostBytes) wrong.push(`${got.text.length} bytes`);
  if (wrong.length === 0) return [];
  return [`${what}: ${wrong.join("; ")}: ${got.text.slice(0, SHOWN)}`];
}
