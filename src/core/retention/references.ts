// What a manifest names: every ArtifactRef in a JSON value, wherever it stands, so that no kind of manifest can be forgotten.
import { ArtifactRef } from "#contracts/artifact-ref.ts";

/** All refs of a value, in the order they stand. Objects with a uri and a sha256 are refs, also when they have further fields. */
export function referencesIn(value: unknown): ArtifactRef[] {
  const found: ArtifactRef[] = [];
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== "object" || next === null) continue;
    const ref = toReference(next);
    if (ref !== null) found.push(ref);
    pending.push(...Object.values(next).reverse());
  }
  return found;
}

function toReference(value: object): ArtifactRef | null {
  const { uri, sha256, numBytes = 0, schema = "unknown" } = value as Partial<Record<keyof ArtifactRef, unknown>>;
  const ref = ArtifactRef.safeParse({ uri, sha256, numBytes, schema });
  return ref.success ? ref.data : null;
}
