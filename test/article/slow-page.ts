/**
 * A page within all size limits that keeps its thread busy for seconds: Readability serialises its text as 1,000,000
 * entities and parses each of them into a node.
 */
export const SLOW_PAGE = `<p>${"\u00a0".repeat(1_000_000)}`;
