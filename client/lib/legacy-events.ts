/** The events of the older system, as Socket.IO types them: `Socket<ServerToClientEvents, ClientToServerEvents>`. */
import type {
  LegacyAnswer,
  LegacyBatchPayload,
  LegacyConnection,
  LegacyIds,
  LegacyJobPayload,
  LegacySubscriptionError,
} from "#shared/legacy.ts";

/** The name that the guide gives to the payload of `job:update`, `job:completed` and `job:error`. */
export type WSJobUpdate = LegacyJobPayload;
export type WSBatchUpdate = LegacyBatchPayload;
export type WSConnection = LegacyConnection;
export type WSSubscribed = LegacyIds;
export type WSSubscriptionError = LegacySubscriptionError;

export interface ServerToClientEvents {
  connection: (data: WSConnection) => void;
  subscribed: (data: WSSubscribed) => void;
  "subscription:error": (data: WSSubscriptionError) => void;
  "job:update": (data: WSJobUpdate) => void;
  "job:completed": (data: WSJobUpdate) => void;
  "job:error": (data: WSJobUpdate) => void;
  "batch:update": (data: WSBatchUpdate) => void;
}

type Request<Ids> = (ids: Ids, answer?: (answer: LegacyAnswer) => void) => void;

export interface ClientToServerEvents {
  "subscribe:job": Request<{ job_id: string }>;
  "unsubscribe:job": Request<{ job_id: string }>;
  "subscribe:batch": Request<{ batch_id: string }>;
  "unsubscribe:batch": Request<{ batch_id: string }>;
  /** `all_owners`: the jobs of the whole tenant, for callers with the scope `tenant`. */
  "subscribe:feed": Request<{ all_owners?: boolean }>;
  "unsubscribe:feed": Request<{ all_owners?: boolean }>;
  "auth:refresh": Request<{ token: string }>;
}

/** Socket.IO's own events. */
export interface ConnectionEvents {
  connect: () => void;
  /** `data` where the server refused: its `code` is that of docs/authenticate.md. */
  connect_error: (error: Error & { data?: { code?: string; message?: string } }) => void;
  disconnect: (reason: string) => void;
}

export interface WsClientEvents extends ServerToClientEvents, ConnectionEvents {}
