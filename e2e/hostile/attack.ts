/**
 * An attack: inputs of one kind on one transport, each with the response that its sender must get. The tests run every
 * attack against a real server; the bench measures the delay of other clients meanwhile.
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
  /** Most MiB above the resting size that the server may need during the attack. */
  readonly peakMib?: number;
}

/** One input. */
export interface Input {
  readonly what: string;
  readonly gets: Expected;
  send(target: Target): Promise<Outcome>;
}

/** The response as its sender sees it. */
export interface Outcome {
  /** Status of the last HTTP response. */
  readonly status?: number | undefined;
  /** Everything that was received: bodies, or texts of frames. */
  readonly text: string;
  /** Close code if the server ended the connection; 1006 if there was none. */
  readonly closed?: number | undefined;
}

/** Absent fields are not checked. */
export interface Expected {
  readonly status?: readonly number[];
  /** Patterns that must all match the text. */
  readonly says?: readonly RegExp[];
  readonly saysNot?: RegExp;
  /** `true`: the server must end the connection. */
  readonly closed?: boolean;
  readonly atMostBytes?: number;
}

export const MIB = 1024 * 1024;
const SHOWN = 300;

/** Differences from the expected response, in words; empty if there are none. */
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
