// Pages name files, commands and options that there are.
import { execFileSync } from "node:child_process";
import { Command } from "commander";
import { beforeAll, describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { FAMILIES } from "../../../src/cli/families.ts";
import { textOf } from "../../support/pages.ts";

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: REPOSITORY, encoding: "utf8" })
  .trim()
  .split("\n");
const folders = new Set(tracked.flatMap((path) => path.split("/").map((_, depth, parts) => parts.slice(0, depth).join("/"))));
const isThere = (path: string): boolean => tracked.includes(path) || folders.has(path.replace(/\/$/, ""));
/** Decisions are left out: they are of their day, and what they name may have moved since. */
const pages = tracked.filter((path) => /^(README|AGENTS|docs\/(?!decisions\/).*)\.md$/.test(path));

const program = new Command("turnwise");
beforeAll(async () => {
  for (const { load } of FAMILIES) (await load())(program);
});

const found = (page: string, pattern: RegExp): string[] => [...textOf(page).matchAll(pattern)].map(([, one = ""]) => one);

/** What is wrong with a line like `turnwise campaign fork mine --from 2`; words behind `#` and alternatives behind `|` are looked past. */
function problemOf(line: string): string | null {
  const [words = ""] = line.split(/\s[#|]|…|;/);
  let command: Command = program;
  for (const word of words.trim().split(/\s+/)) {
    const next = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  if (command.commands.length > 0) return `no command: ${line}`;
  const flags = command.options.flatMap(({ long, short }) => [long, short]);
  const unknown = (words.replaceAll(/"[^"]*"/g, "").match(/(?<=\s\[?)--[a-z][a-z-]*/g) ?? []).find((flag) => !flags.includes(flag));
  return unknown === undefined ? null : `${command.name()} has no ${unknown}: ${line}`;
}

describe.each(pages)("%s", (page) => {
  test("names files that there are", () => {
    const named = found(page, /`((?:src|tests|trainer|workflows|activities|workers|configs|infra|docs|bench|examples)\/[\w./-]+)`/g);
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });

  test("names commands and options that there are", () => {
    const lines = found(page, /(?:^|[`\s])(?:\.\/)?turnwise ([a-z][^\n`]*)/gm);
    expect(lines.map(problemOf).filter((problem) => problem !== null)).toEqual([]);
  });
});

test("a command and an option that are none are found", () => {
  expect(problemOf("campaign begin x")).toMatch(/no command/);
  expect(problemOf("gc --dry-runs")).toBe("gc has no --dry-runs: gc --dry-runs");
  expect(problemOf("gc --dry-run # --nothing")).toBe(null);
});
