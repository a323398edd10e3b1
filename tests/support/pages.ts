// Pages of docs/ and the files that they show: what is printed is what was tried.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "#adapters/settings.ts";

/** Text of a file, by its path in the repository. */
export const textOf = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");

/** The first block of code of a language on a page. */
export function codeOf(page: string, language: string): string {
  const [, block] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(textOf(page)) ?? [];
  if (block === undefined) throw new Error(`${page} has no block of ${language}`);
  return block;
}
