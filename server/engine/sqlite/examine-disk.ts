/** The disk of the data directory: its kind, and the room on it. */
import { type Advice, fail, type Finding, ok, warn } from "#shared/finding.ts";

/** Numbers of file systems as Linux has them (`statfs(2)`). Other systems have others, which are not told apart. */
const NETWORK = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB 2"],
  [0x01021997, "9P"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
]);
const TMPFS = 0x01021994;
const OVERLAY = 0x794c7630;

const DISK: Advice[1] = "docs/operations.md#the-disk";

/** `type`: as `statfs` gives it. */
export function diskKind(path: string, type: number): Finding {
  const name = "disk kind";
  if (process.platform !== "linux") return ok(name, "not examined on this system");
  // Some versions of Node give it with a sign.
  const kind = type >>> 0;
  const network = NETWORK.get(kind);
  if (network !== undefined) {
    return warn(name, `${path} is on a network file system (${network})`, [
      "Use a disk of this machine: the locks that keep a second server out do not work everywhere on a network, and each commit waits for it.",
      DISK,
    ]);
  }
  if (kind === TMPFS) {
    return warn(name, `${path} is in memory (tmpfs): everything is lost with this machine`, [
      "Set DATA_DIR to a directory on a disk.",
      DISK,
    ]);
  }
  if (kind === OVERLAY) {
    return warn(name, `${path} is in the layer of a container: everything is lost with it`, [
      "Mount a volume there.",
      DISK,
    ]);
  }
  return ok(name, "a file system of this machine");
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** The log that SQLite keeps beside the database may grow to some megabytes before a write must wait for room. */
const LEAST_BYTES = 64 * MIB;
const SCARCE_BYTES = GIB;

/** `stored`: the size of the database. */
export function freeSpace(free: number, stored: number): Finding {
  const name = "disk space";
  const found = `${inUnits(free)} free; the database has ${inUnits(stored)}`;
  if (free < LEAST_BYTES) {
    return fail(name, found, [
      "Make room: the server refuses what it cannot store.",
      "docs/troubleshooting.md#the-disk-is-full",
    ]);
  }
  if (free < Math.max(SCARCE_BYTES, stored)) {
    return warn(name, found, [
      "Make room, or lower RETENTION_DAYS: an upgrade and a backup beside the data may each need as much as the database.",
      "docs/troubleshooting.md#the-disk-is-full",
    ]);
  }
  return ok(name, found);
}

function inUnits(bytes: number): string {
  return bytes < GIB ? `${Math.ceil(bytes / MIB)} MiB` : `${(bytes / GIB).toFixed(1)} GiB`;
}
