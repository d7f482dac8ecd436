/** Resident memory of another process, from Linux's /proc. */
import { readFileSync, writeFileSync } from "node:fs";

const KIB_A_MIB = 1024;

function mib(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / KIB_A_MIB;
}

export const residentMib = (pid: number) => mib(pid, "VmRSS");

/** Peak since `forgetPeak`. */
export const peakMib = (pid: number) => mib(pid, "VmHWM");

/** proc(5): "5" resets the peak. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
