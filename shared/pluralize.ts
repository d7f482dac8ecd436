/** A count with its noun: "1 row", "2 rows". `many` is for irregular plurals. */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
