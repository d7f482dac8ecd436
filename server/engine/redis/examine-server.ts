/** Findings from the sections of `INFO`. `CONFIG` would say more, and managed services often forbid it. */
import { fail, type Finding, ok, skip, warn } from "#shared/finding.ts";
import { pluralize } from "#shared/pluralize.ts";

function field(info: string, name: string): string | undefined {
  const line = info.split(/\r?\n/).find((each) => each.startsWith(`${name}:`));
  return line?.slice(name.length + 1);
}

/** `server`: the section of that name. */
export function versionOf(server: string, oldest: number): Finding {
  const name = "redis version";
  const valkey = field(server, "valkey_version");
  const version = valkey ?? field(server, "redis_version");
  if (version === undefined) return skip(name, "the server does not say it");
  const found = `${valkey === undefined ? "Redis" : "Valkey"} ${version}`;
  if (Number.parseInt(version, 10) >= oldest) return ok(name, found);
  return fail(name, `${found}; Jobwire needs Redis ${oldest} or newer, or Valkey`, [
    "Upgrade it.",
    "docs/operations.md#data",
  ]);
}

export function roleOf(replication: string): Finding {
  const name = "redis role";
  if (field(replication, "role") === "master") {
    const replicas = Number(field(replication, "connected_slaves") ?? "0");
    return ok(name, `master, with ${pluralize(replicas, "replica")}`);
  }
  return fail(name, "a replica, which takes no writes", [
    "Let REDIS_URL lead to the current master: the provider's own address, or a proxy that knows it.",
    "docs/troubleshooting.md#redis-is-read-only",
  ]);
}

/** `appendFsync`: `undefined` if it could not be read. */
export function persistenceOf(persistence: string, appendFsync: string | undefined): Finding[] {
  const name = "redis persistence";
  const findings: Finding[] = [];
  if (field(persistence, "loading") === "1") {
    findings.push(
      fail(name, "it is loading its data, and answers nothing meanwhile", [
        "Wait until it is done.",
        "docs/troubleshooting.md#redis-cannot-be-reached",
      ]),
    );
  }
  for (const [of, what] of [
    ["aof_last_write_status", "its append-only file"],
    ["rdb_last_bgsave_status", "its last snapshot"],
  ] as const) {
    if ((field(persistence, of) ?? "ok") === "ok") continue;
    findings.push(
      fail(name, `${what} could not be written (${of} is not ok)`, [
        "Make room on its disk; its log says more. Until then it may take no writes.",
        "docs/troubleshooting.md#redis-is-read-only",
      ]),
    );
  }
  if (field(persistence, "aof_enabled") !== "1") {
    findings.push(
      warn(name, "appendonly is off: a restart of Redis loses what came after its last snapshot", [
        "Set appendonly to yes.",
        "docs/operations.md#data",
      ]),
    );
  } else if (appendFsync === "no") {
    findings.push(
      warn(name, "appendfsync is no: a crash of its machine may lose half a minute", [
        "Set appendfsync to always, or to everysec, which loses a second at most.",
        "docs/operations.md#data",
      ]),
    );
  } else findings.push(ok(name, `appendonly is on; ${fsyncText(appendFsync)}`));
  return findings;
}

function fsyncText(appendFsync: string | undefined): string {
  if (appendFsync === undefined) return "appendfsync could not be read";
  if (appendFsync === "always") return "a crash loses no answered change (appendfsync is always)";
  return `a crash loses up to a second (appendfsync is ${appendFsync})`;
}

const FULL = 0.95;
const NEARLY_FULL = 0.75;

export function memoryOf(memory: string): Finding[] {
  const name = "redis memory";
  const findings: Finding[] = [];
  const policy = field(memory, "maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction") {
    findings.push(
      fail(name, `maxmemory-policy is ${policy}: a full Redis would delete jobs`, [
        "Set maxmemory-policy to noeviction. Jobwire does not start otherwise.",
        "docs/troubleshooting.md#redis-is-out-of-memory",
      ]),
    );
  }
  const used = Number(field(memory, "used_memory"));
  const most = Number(field(memory, "maxmemory")) || Number(field(memory, "total_system_memory"));
  if (!(used >= 0) || !(most > 0)) {
    return [...findings, skip(name, "the server does not say how much it has")];
  }
  const part = used / most;
  const found = `${inMiB(used)} of ${inMiB(most)} (${Math.round(part * 100)} %)`;
  const advice = [
    "Give it more memory (maxmemory), or lower RETENTION_DAYS.",
    "docs/troubleshooting.md#redis-is-out-of-memory",
  ] as const;
  if (part >= FULL) findings.push(fail(name, found, advice));
  else if (part >= NEARLY_FULL) findings.push(warn(name, found, advice));
  else findings.push(ok(name, found));
  return findings;
}

function inMiB(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
