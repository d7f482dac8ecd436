export function ProgressBar(props: {
  percent: number;
  label: string;
  bar: string;
  thin?: boolean;
}) {
  return (
    <div
      role="progressbar"
      aria-label={props.label}
      aria-valuenow={props.percent}
      aria-valuemin={0}
      aria-valuemax={100}
      className={`w-full overflow-hidden rounded-full bg-sunken ${props.thin === true ? "h-1.5" : "h-2.5"}`}
    >
      <div
        className={`h-full rounded-full transition-[width] duration-300 ${props.bar}`}
        style={{ width: `${props.percent}%` }}
      />
    </div>
  );
}
