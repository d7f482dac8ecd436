/** The results of hooks, named as TanStack Query names them. */
import { type Failed, failureOf } from "#client/lib/failure.ts";

/**
 * - `pending`: there is no data yet;
 * - `error`: the server refused, and does so again. `data` is what is known from before;
 * - `success`: `data` is the newest known state. A lost connection is no error: `connection` tells it.
 */
export type LiveResult<Data> = Pending | WithError<Data> | Success<Data>;

interface Pending {
  status: "pending";
  isPending: true;
  isError: false;
  isSuccess: false;
  data: undefined;
  error: null;
}
interface WithError<Data> {
  status: "error";
  isPending: false;
  isError: true;
  isSuccess: false;
  data: Data | undefined;
  error: Failed;
}
interface Success<Data> {
  status: "success";
  isPending: false;
  isError: false;
  isSuccess: true;
  data: Data;
  error: null;
}

export function resultOf<Data>(data: Data | undefined, error: Failed | null): LiveResult<Data> {
  const no = { isPending: false, isError: false, isSuccess: false } as const;
  if (error !== null) return { ...no, status: "error", isError: true, data, error };
  if (data === undefined) {
    return { ...no, status: "pending", isPending: true, data: undefined, error };
  }
  return { ...no, status: "success", isSuccess: true, data, error };
}

/** Of a query. */
export const failed = ({ error }: { error: unknown }): Failed | null =>
  error === null ? null : failureOf(error);
