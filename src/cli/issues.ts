// What a schema found wrong with the options of a command, by the names that the person gave them.
import type { z } from "zod";
import { problemsOf } from "#core/problems.ts";

/** `--max-overlap: …; --seed: …`. `given` is what was parsed; `names` are those options that are not called as the schema calls them. */
export function describeOptions(error: z.ZodError, given: unknown, names: Readonly<Record<string, string>> = {}): string {
  return problemsOf(error, given)
    .map(({ path, what, isUnknownKey }) => {
      const key = path.findLast((part) => !/^\d*$/.test(part));
      return key === undefined ? what : `--${names[key] ?? toOption(key)}: ${isUnknownKey ? `unknown${what}` : what}`;
    })
    .join("; ");
}

/** `maxTokens` as `max-tokens`. */
export const toOption = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
