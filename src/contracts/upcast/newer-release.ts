// A value that a newer release wrote is told as such: nothing about it is broken, this release is only too old to read it.
import type { z } from "zod";

/**
 * The schema version that this release does not know, of the value or of one inside it; null when that is not what is wrong. Versions are
 * counted from 1 and every older one has its upcaster, so an unknown number is a later one.
 */
export function versionOfNewerRelease(value: unknown, { issues }: z.ZodError): number | null {
  for (const { path } of issues) {
    if (path.at(-1) !== "schemaVersion") continue;
    const version = valueAt(value, path);
    if (typeof version === "number" && Number.isInteger(version) && version >= 1) return version;
  }
  return null;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined), value);
}
