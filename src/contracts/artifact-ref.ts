import { z } from "zod";

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 lower-case hexadecimal digits");
export type Sha256 = z.infer<typeof Sha256>;

/** A pointer to bytes in the artifact store; what workflows carry instead of the bytes. */
export const ArtifactRef = z
  .strictObject({
    uri: z.string().min(1).describe("address inside the record, e.g. blobs/sha256/ab/abcd…"),
    sha256: Sha256,
    numBytes: z.int().nonnegative(),
    schema: z.string().min(1).describe("id of the contract the bytes satisfy, e.g. Trajectories/1"),
  })
  .meta({ id: "ArtifactRef" });
export type ArtifactRef = z.infer<typeof ArtifactRef>;
