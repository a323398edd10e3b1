// What a manifest names: every reference in a JSON value, wherever it stands, so that no kind of manifest can be forgotten.
import { Sha256 } from "#contracts/artifact-ref.ts";

/** As much of an ArtifactRef as it takes to find the blob and to know what it is. */
export interface Reference {
  readonly sha256: string;
  /** "unknown" where the object says none. */
  readonly schema: string;
  /** null where the object says none. */
  readonly numBytes: number | null;
}

/** Every object that has a uri and a sha256, in no particular order. Further fields, or ill-formed ones, make it no less a reference. */
export function referencesIn(value: unknown): Reference[] {
  const found: Reference[] = [];
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== "object" || next === null) continue;
    const reference = toReference(next);
    if (reference !== null) found.push(reference);
    for (const member of Object.values(next)) pending.push(member);
  }
  return found;
}

function toReference(value: object): Reference | null {
  const { uri, sha256, schema, numBytes } = value as Readonly<Record<string, unknown>>;
  const hash = Sha256.safeParse(sha256);
  if (typeof uri !== "string" || !hash.success) return null;
  return {
    sha256: hash.data,
    schema: typeof schema === "string" && schema !== "" ? schema : "unknown",
    numBytes: typeof numBytes === "number" ? numBytes : null,
  };
}
