/** Stands where rows will be, at their size, so that nothing jumps when they come. */
export function Skeleton(props: { rows: number }) {
  return (
    <div role="status" aria-label="Loading" className="space-y-2">
      {Array.from({ length: props.rows }, (_, row) => (
        <div key={row} className="h-16 animate-pulse rounded-xl border border-line bg-sunken" />
      ))}
    </div>
  );
}
