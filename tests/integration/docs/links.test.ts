// What a page of the documentation points at is there.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { textOf } from "../../support/pages.ts";

const pages = readdirSync(join(REPOSITORY, "docs"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".md"))
  .map((name) => join("docs", name));

test.each(["README.md", "AGENTS.md", ...pages])("%s: every file that it links to exists", (page) => {
  const prose = textOf(page).replaceAll(/```[\s\S]*?```/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const paths = links.filter((target) => !/^(https?:|mailto:|#)/.test(target)).map((target) => target.replace(/#.*/, ""));
  expect(paths.filter((path) => !existsSync(join(REPOSITORY, dirname(page), path)))).toEqual([]);
});
