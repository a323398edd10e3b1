// What a seed policy is taught from and measured in.
import type { SftRow } from "#contracts/sft.ts";
import type { Task } from "#contracts/task.ts";
import type { World } from "#core/environment/episode.ts";
import type { PromptFormat } from "#core/prompt-format/prompt-format.ts";

interface Demonstration {
  readonly row: SftRow;
  /** Whether the expert has passed. */
  readonly isPassed: boolean;
}

export interface SeedEnvironment {
  readonly format: PromptFormat;
  /** Control tokens of the format, and its ordinary text that is one token each. */
  readonly specialTokens: readonly string[];
  readonly atomicTokens: readonly string[];
  /** The expert's conversation `index`: every index is another one. `slipRate`: how often one thing goes wrong. */
  demonstrate(index: number, slipRate: number): Promise<Demonstration>;
  readonly world: World;
  /** Nothing of `heldOut` is ever demonstrated. */
  readonly tasks: { readonly heldOut: readonly Task[]; readonly training: readonly Task[] };
  readonly limits: { readonly maxTurns: number; readonly maxTokensPerTurn: number; readonly maxContextTokens: number };
  close(): Promise<void>;
}
