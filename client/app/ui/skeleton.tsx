/** Placeholder of the rows' size, so that the layout does not shift when they load. */
export function Skeleton(props: { rows: number }) {
  return (
    <div role="status" aria-label="Loading" className="space-y-2">
      {Array.from({ length: props.rows }, (_, row) => (
        <div key={row} className="h-16 animate-pulse rounded-xl border border-line bg-sunken" />
      ))}
    </div>
  );
}
