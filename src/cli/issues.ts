// What a schema found wrong, in the words of the person who gave it: options by their names, keys of a file by their paths.
import type { z } from "zod";

/** `--max-overlap: …; --seed: …`. `names` are those options that are not called as the schema calls them. */
export function describeOptions({ issues }: z.ZodError, names: Readonly<Record<string, string>> = {}): string {
  return issues
    .map(({ path, message }) => {
      const key = path.findLast((part) => typeof part === "string");
      return key === undefined ? message : `--${names[key] ?? toOption(key)}: ${message}`;
    })
    .join("; ");
}

const toOption = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `splits.0.tier: …; base: …` */
export function describeKeys({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`)).join("; ");
}
