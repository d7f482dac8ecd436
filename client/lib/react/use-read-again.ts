"use client";
import { useQueryClient } from "@tanstack/react-query";

/** Reads a query again after each gap, because data from before a gap may be outdated. */
export function useReadAgain(queryKey: readonly string[]) {
  const cache = useQueryClient();
  return <T extends { gap?: true | undefined }>(data: T): T => {
    if (data.gap === true && cache.isFetching({ queryKey }) === 0) {
      void cache.invalidateQueries({ queryKey });
    }
    return data;
  };
}
