// Which prompt format a policy is asked in: its own chat template, or one of the task set.
import { CampaignError } from "../errors.ts";
import type { PromptFormat } from "./prompt-format.ts";

/** The model's own chat template, which any task set has. */
const NATIVE = "native";

/** Null for the model's own chat template. Throws config.invalid for a format that the task set does not have. */
export function promptFormat(name: string, formats: Readonly<Record<string, PromptFormat>>): PromptFormat | null {
  if (name === NATIVE) return null;
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (format !== undefined) return format;
  throw new CampaignError("config.invalid", `the environment has no prompt format ${name}`, {
    next: `set policy.format to one of ${[...Object.keys(formats), NATIVE].join(", ")}`,
  });
}
