/**
 * The cursor of a stream. The last event of a stream that is complete has the id `<cursor>.end`: a client that opens the stream
 * anew with it, as an `EventSource` does by itself, is told that nothing comes any more.
 */
const END = ".end";

export function endAfter(pos: number): string {
  return `${pos}${END}`;
}

/** `isOver`: the client was told that the stream is complete. */
export function cursorOf(id: string): { cursor: string; isOver: boolean } {
  const isOver = id.endsWith(END);
  return { cursor: isOver ? id.slice(0, -END.length) : id, isOver };
}
