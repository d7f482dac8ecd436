/** `client.kinds.<name>`: the jobs of one kind, with its types. */
import type { TRPCClient } from "@trpc/client";
import type { ApiRouter, JobsPage, SummaryOf } from "#shared/api.ts";
import type { BatchOptions, CreateOptions, KindJobsQuery } from "#shared/api-inputs.ts";
import type { Batch } from "#shared/batch.ts";
import type { KindMap, KindTypes } from "#shared/kind-types.ts";
import type { Closing } from "./closing.ts";
import { createJobHandle, type JobCalls, type JobHandle } from "./job-handle.ts";

type KindProcedures<Types extends KindTypes> = TRPCClient<
  ApiRouter<Record<string, Types>>
>["kinds"][string];

export interface KindClient<Types extends KindTypes> {
  readonly name: string;
  /** The kind's procedures. */
  readonly trpc: KindProcedures<Types>;
  create(input: Types["input"], options?: CreateOptions): Promise<JobHandle<Types>>;
  /** A batch of these jobs: all or none. */
  createMany(inputs: readonly Types["input"][], options?: BatchOptions): Promise<Batch>;
  /** A job that exists. Its methods reject with `NOT_FOUND` where it does not, or is of another kind. */
  job(id: string): JobHandle<Types>;
  list(query?: KindJobsQuery): Promise<JobsPage<SummaryOf<Types>>>;
}

export type KindClients<Kinds extends KindMap> = {
  readonly [Name in keyof Kinds & string]: KindClient<Kinds[Name]>;
};

export function createKindClients(
  trpc: TRPCClient<ApiRouter>,
  shared: JobCalls,
  closing: Closing,
): KindClients<KindMap> {
  const clients = new Map<string, KindClient<KindTypes>>();
  const clientOf = (name: string) => {
    const known = clients.get(name) ?? createKindClient(trpc, name, shared, closing);
    clients.set(name, known);
    return known;
  };
  return new Proxy<KindClients<KindMap>>(
    {},
    // Code that awaits or prints the object asks for `then` and for symbols, which name no kind.
    {
      get(target, name, proxy) {
        if (typeof name === "symbol" || name === "then") return undefined;
        // No kind has the name of what every object has.
        return name in target ? Reflect.get(target, name, proxy) : clientOf(name);
      },
    },
  );
}

function createKindClient(
  trpc: TRPCClient<ApiRouter>,
  name: string,
  shared: JobCalls,
  closing: Closing,
): KindClient<KindTypes> {
  const procedures = trpc.kinds[name];
  if (procedures === undefined) throw new Error("tRPC's clients have procedures of every name.");
  const job = (id: string) => createJobHandle(id, { procedures, shared, closing });
  return {
    name,
    trpc: procedures,
    job,
    create: async (input, options) =>
      job((await procedures.create.mutate({ ...options, input })).id),
    createMany: (inputs, options) =>
      procedures.createMany.mutate({ ...options, jobs: inputs.map((input) => ({ input })) }),
    list: (query) => procedures.list.query(query),
  };
}
