import { Button } from "./button.tsx";

/** Below a list that has further pages. */
export function LoadMore(props: { isLoading: boolean; onLoad: () => void }) {
  return (
    <div className="mt-4 text-center">
      <Button onClick={props.onLoad} disabled={props.isLoading}>
        {props.isLoading ? "Loading…" : "Load more"}
      </Button>
    </div>
  );
}
