"use client";
/** The client that the hooks below a provider use, and the state of its connection. */
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
} from "react";
import type { JobwireClient } from "#client/lib/client.ts";
import type { Connection } from "#client/lib/connection.ts";
import type { KindMap, ServerTypes } from "#shared/kind-types.ts";
import type { OpenStreams } from "./use-stream.ts";

interface Provided {
  client: JobwireClient;
  streams: OpenStreams;
}

const Context = createContext<Provided | undefined>(undefined);

/** Needs a `QueryClientProvider` around it. */
export function JobwireProvider<Kinds extends KindMap>(props: {
  client: JobwireClient<Kinds>;
  children: ReactNode;
}) {
  const { client, children } = props;
  useEffect(() => client.follow(), [client]);
  const provided = useMemo(
    // The hooks take the kinds' types from the kinds that they are given.
    () => ({ client: client as unknown as JobwireClient, streams: new Map() }),
    [client],
  );
  return <Context value={provided}>{children}</Context>;
}

export function useProvided(): Provided {
  const provided = useContext(Context);
  if (provided === undefined) {
    throw new Error("Jobwire's hooks need a <JobwireProvider client={…}> around the component.");
  }
  return provided;
}

/**
 * The client of the provider. `App`: the type of the server, as for `createJobwireClient`. To name it once for a whole app:
 * `export const useApp = useJobwire<App>;`
 */
export function useJobwire<App extends ServerTypes = ServerTypes>(): JobwireClient<App["~kinds"]> {
  return useProvided().client;
}

export function useConnection(): Connection {
  const { connection } = useProvided().client;
  return useSyncExternalStore(connection.subscribe, connection.get, atFirst);
}

/** On a server, and while the browser takes over its page. */
const atFirst = (): Connection => "connecting";
