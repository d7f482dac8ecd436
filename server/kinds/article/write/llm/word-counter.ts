/** Counts the space-separated words of a text that arrives in pieces, in linear time. */
export function createWordCounter(): (piece: string) => number {
  let words = 0;
  let inWord = false;
  return (piece) => {
    for (let at = 0; at < piece.length; at++) {
      const space = piece.charAt(at) <= " ";
      if (!space && !inWord) words += 1;
      inWord = !space;
    }
    return words;
  };
}
