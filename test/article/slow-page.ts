/**
 * A page within all limits of size that keeps its thread busy for seconds: Readability writes its text as 1,000,000
 * entities, and reads each of them into a node.
 */
export const SLOW_PAGE = `<p>${"\u00a0".repeat(1_000_000)}`;
