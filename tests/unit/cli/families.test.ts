import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Command, Help } from "commander";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { addFamilies, FAMILIES } from "../../../src/cli/families.ts";

const COUNT_PACKAGES = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({ load(url, context, next) {
    const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
    if (name) packages.add(name);
    return next(url, context);
  } });
  process.on("exit", () => process.stderr.write("PACKAGES " + JSON.stringify([...packages]) + "\\n"));
`)}`;

/** npm packages that a command loads. */
function packagesOf(args: readonly string[], home: string): string[] {
  const main = join(REPOSITORY, "src", "cli", "main.ts");
  const { stderr } = spawnSync(process.execPath, ["--import", COUNT_PACKAGES, main, ...args], {
    env: { ...process.env, TURNWISE_HOME: home },
    encoding: "utf8",
  });
  return JSON.parse(/^PACKAGES (.*)$/m.exec(stderr)?.[1] ?? "null");
}

describe("the list of commands", () => {
  test.each(FAMILIES.map((family) => [Object.keys(family.commands).join(", "), family] as const))(
    "%s: says of each command what the command itself says",
    async (_, { commands, load }) => {
      const program = new Command();
      (await load())(program);
      expect(program.commands.map((command) => command.name())).toEqual(Object.keys(commands));
      for (const command of program.commands) expect(commands[command.name()]?.[0]).toBe(new Help().subcommandTerm(command));
    },
  );

  test("holds no command twice", () => {
    const names = FAMILIES.flatMap(({ commands }) => Object.keys(commands));
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([[["query", "--help"]], [["help", "query"]], [["--json", "query"]]])(
    "%j adds query whole, and of the others a line",
    async (args) => {
      const program = new Command();
      await addFamilies(program, args);
      const optionsOf = (name: string) => program.commands.find((command) => command.name() === name)?.options.length;
      expect(optionsOf("query")).toBeGreaterThan(0);
      expect(optionsOf("calibrate")).toBe(0);
      expect(program.commands.every((command) => command.description() !== "")).toBe(true);
    },
  );
});

test.each([[["--help"]], [["status"]], [["history"]]])("%j loads no client of a model, of Temporal or of DuckDB", (args) => {
  const packages = packagesOf(args, join(REPOSITORY, ".turnwise", "no-such-home"));
  expect(packages).toContain("commander");
  expect(packages.filter((name) => /^(@temporalio|@grpc|@duckdb|openai|execa|pyodide)/.test(name))).toEqual([]);
});
