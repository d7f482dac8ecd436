/** A number of things as people read it: "1 row", "2 rows". `many`: where it is not the one with an "s". */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
