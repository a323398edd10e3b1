// What a campaign leaves behind for good and what it lets go of; manifests, trajectories, reports and tables are always kept.
import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";

const PolicyRetention = z.strictObject({
  last: z.int().positive().default(3).describe("the last so many trained policies, promoted or not"),
  promoted: z.boolean().default(false).describe("every policy that was ever promoted, so that the campaign can be forked at any iteration"),
  best: z.boolean().default(true).describe("the trained policy with the highest pass rate on the selection tasks"),
});

/**
 * Which of a campaign's large files stay. The base policy, the promoted policy with its moments, the final policy, what an unfinished
 * iteration names and what a fork began with stay whatever is said here.
 */
export const RetentionConfig = z
  .strictObject({
    policies: z
      .union([z.literal("all"), PolicyRetention])
      .prefault({})
      .describe("whose weights stay"),
    optimizerState: z
      .enum(["all", "last", "none"])
      .default("last")
      .describe("moments of every policy that stays, of the promoted one, or of none once the campaign has ended"),
    batches: z.enum(["all", "none"]).default("all").describe("training batches of finished iterations"),
    jobFolders: z.enum(["drop", "keep"]).default("drop").describe("the trainer's folder, once what it made is in the record"),
  })
  .meta({ id: "RetentionConfig" });
export type RetentionConfig = z.infer<typeof RetentionConfig>;

/** What a campaign of 0.1.0 did: nothing was ever removed. */
export const KEEP_EVERYTHING: RetentionConfig = { policies: "all", optimizerState: "all", batches: "all", jobFolders: "keep" };

/** dropped/<sha256>.json: written before a blob that manifests name is let go, so that whoever asks for it is told when and why. */
export const DroppedBlob = z
  .strictObject({
    schemaVersion: z.literal(1),
    sha256: Sha256,
    numBytes: z.int().nonnegative(),
    schema: z.string().min(1),
    reason: z.string().min(1).describe("whose retention, and what it was"),
    droppedAt: z.iso.datetime(),
  })
  .meta({ id: "DroppedBlob" });
export type DroppedBlob = z.infer<typeof DroppedBlob>;
