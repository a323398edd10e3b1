// A policy before any training: the embedded architecture from a random start, for environments that no shipped policy knows.
import { resolve } from "node:path";
import { makeInitialPolicy } from "#adapters/seed-policy/initial-policy.ts";
import type { InitialModel } from "#contracts/sft.ts";
import { readSettings } from "../settings.ts";

const HEAD_WIDTH = 16;

export interface InitialPolicyRequest {
  /** The model directory to write; nothing may lie there. */
  readonly folder: string;
  /** Of the random weights: the same seed and shape give the same policy. */
  readonly seed: number;
  readonly layers: number;
  /** Attention heads of 16 numbers each; they are as wide as the model together. */
  readonly heads: number;
  /** Tokens, which are bytes, of prompt and answer together. */
  readonly context: number;
}

export interface InitialPolicy extends InitialModel {
  readonly folder: string;
  readonly context: number;
}

/** Throws config.invalid when something lies in the folder, and trainer.*. */
export async function createInitialPolicy({ folder, seed, layers, heads, context }: InitialPolicyRequest): Promise<InitialPolicy> {
  const outputDirectory = resolve(folder);
  const width = heads * HEAD_WIDTH;
  const modelConfig = {
    hiddenSize: width,
    numLayers: layers,
    numHeads: heads,
    numKeyValueHeads: heads,
    headDim: HEAD_WIDTH,
    intermediateSize: 3 * width,
    ropeTheta: 10_000,
    maxPositions: context,
  };
  const made = await makeInitialPolicy({ schemaVersion: 1, modelConfig, seed, outputDirectory }, readSettings().python);
  return { ...made, folder: outputDirectory, context };
}
