/** The environment variables of limits. */
import { type SettingsOf, type Variables, wholeNumber } from "#shared/variables.ts";
import { trustedProxies } from "./trusted-proxies.ts";

/** 0 switches a limit off. */
const count = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export const LIMIT_VARIABLES = {
  TRUST_PROXY: {
    schema: trustedProxies,
    default: "",
    about:
      "The proxies in front of this server, whose `X-Forwarded-For` is believed: addresses and networks, commas between (`10.0.0.5`, `172.16.0.0/12`, `loopback`, `linklocal`, `uniquelocal`), or how many proxies a request passes. Without it, all that comes through a proxy counts for the address of the proxy.",
  },
  LIMIT_ADDRESS_CONNECTIONS: {
    schema: count,
    default: "1000",
    about: "Connections of an address that may be open at the same time; 0 for no limit.",
  },
  LIMIT_ADDRESS_UNAUTHENTICATED: {
    schema: count,
    default: "100",
    about:
      "WebSockets and Socket.IO sessions of an address that have not signed in yet; 0 for no limit.",
  },
  LIMIT_ADDRESS_FAILED_SIGN_INS: {
    schema: count,
    default: "30",
    about:
      "Refused tokens, keys and sign-ins of an address a minute, before refusals are slowed down; 0 for no limit.",
  },
  LIMIT_USER_CONNECTIONS: {
    schema: count,
    default: "1000",
    about:
      "WebSockets, event streams and Socket.IO connections of a user that may be open at the same time; 0 for no limit.",
  },
  LIMIT_USER_CALLS: {
    schema: count,
    default: "100",
    about:
      "Calls of a user a second, counted over ten seconds, so that the calls of ten seconds may come at once; 0 for no limit.",
  },
  LIMIT_USER_SUBSCRIPTIONS: {
    schema: count,
    default: "10000",
    about: "Subscriptions of a user that may be open at the same time; 0 for no limit.",
  },
  LIMIT_TENANT_WAITING_JOBS: {
    schema: count,
    default: "100000",
    about: "Jobs of a tenant that wait or run; 0 for no limit.",
  },
  LIMIT_TENANT_CREATED_JOBS: {
    schema: count,
    default: "20000",
    about: "Jobs that a tenant creates in a minute; 0 for no limit.",
  },
  LIMIT_TENANT_BYTES: {
    schema: count,
    default: "10737418240",
    about: "Bytes of the inputs and outputs of a tenant's jobs; 0 for no limit.",
  },
} as const satisfies Variables;

export type LimitSettings = SettingsOf<typeof LIMIT_VARIABLES>;
