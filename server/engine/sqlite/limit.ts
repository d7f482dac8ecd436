/**
 * `LIMIT` with a parameter, for statements that run often. Of a parameter alone SQLite reads the bound value to plan by it,
 * so it prepares the statement anew for each run, which costs several times a short search.
 */
export const LIMIT = "LIMIT ? + 0";
