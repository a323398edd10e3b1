import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";

const APPLICATION = join(REPOSITORY, "src", "application");
const SPEECH = /\bconsole\b|\bprocess\s*\.\s*(stdout|stderr|exit|exitCode)\b|\{[^}]*\b(stdout|stderr|exit)\b[^}]*\}\s*=\s*process\b/;

const files = readdirSync(APPLICATION, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

test.each(files)("%s: a use-case answers and tells events, and neither prints nor ends the process", (name) => {
  expect(readFileSync(join(APPLICATION, name), "utf8")).not.toMatch(SPEECH);
});

test.each(['console.log("a");', 'process.stdout.write("a");', "process.exitCode = 1;", "const { stderr } = process;"])(
  "%s is speech",
  (text) => {
    expect(text).toMatch(SPEECH);
  },
);
