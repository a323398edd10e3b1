import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataFolder } from "#adapters/task-data/data-folder.ts";
import { readTauBenchAirline, readTauBenchRetail } from "#environments/tau/benchmarks/tau-bench.ts";
import { readTau2Airline } from "#environments/tau/benchmarks/tau2-bench.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

const DOMAINS = {
  airline: readTauBenchAirline,
  retail: readTauBenchRetail,
  "tau2-airline": readTau2Airline,
} as const;
type Domain = keyof typeof DOMAINS;

describe.skipIf(MISSING !== null)(`a broken data folder${because}`, () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "turnwise-data-"));
    for (const domain of Object.keys(DOMAINS)) await cp(join(TAU_BENCH, domain), join(folder, domain), { recursive: true, mode: 0 });
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** What reading says when a file holds this text, is a folder, or is gone. */
  async function problem(domain: Domain, name: string, text: string | null | "folder") {
    const path = join(folder, domain, name);
    await rm(path, { force: true });
    if (text === "folder") await mkdir(path);
    else if (text !== null) await writeFile(path, text);
    const outcome = await DOMAINS[domain](dataFolder(folder)).then(
      () => null,
      (error: { code: string; message: string; next: string | null }) => error,
    );
    await rm(path, { force: true, recursive: true });
    await cp(join(TAU_BENCH, domain, name), path);
    return outcome;
  }

  it.each([
    ["retail", "orders.json", null, "environment.data-missing", "cannot read orders.json"],
    ["retail", "wiki.md", "folder", "environment.data-missing", "cannot read wiki.md"],
    ["retail", "orders.json", '{"#W1": {', "environment.data-corrupt", "line 1 column 10"],
    ["retail", "orders.json", "", "environment.data-corrupt", "not valid JSON"],
    ["retail", "products.json", "[1, 2]", "environment.data-corrupt", "not an object of records"],
    ["retail", "products.json", '{"1": {"variants": 5}}', "environment.data-corrupt", 'record "1"'],
    ["retail", "tasks_train.json", '[{"user_id": "x"}]', "environment.data-corrupt", "0.instruction"],
    ["airline", "flights.json", '{"HAT001": 1}', "environment.data-corrupt", "not an object of records"],
    ["airline", "users.json", '{"a": {"x": NaN}}', "environment.data-corrupt", "NaN"],
    ["tau2-airline", "db.json", null, "environment.data-missing", "cannot read db.json"],
    ["tau2-airline", "db.json", '{"flights": {}}', "environment.data-corrupt", "reservations is not an object"],
    ["tau2-airline", "db.json", '{"flights": {}, "reservations": {"A": {}}, "users": {}}', "environment.data-corrupt", 'reservations "A"'],
    ["tau2-airline", "tasks.json", "{}", "environment.data-corrupt", "at the top"],
    ["tau2-airline", "split_tasks.json", '{"train": ["1"], "test": ["77"]}', "environment.data-corrupt", "names task 77"],
  ] as const)("of %s with %s as %j is refused as %s, with the folder and what to do", async (domain, name, text, code, part) => {
    const error = await problem(domain, name, text);
    expect(error).toMatchObject({ code, message: expect.stringContaining(part) });
    expect(error?.message).toContain(join(folder, domain));
    expect(error?.next).toMatch(code === "environment.data-missing" ? new RegExp(`${domain}/: .*${name}`) : /copy the file again/);
  });

  it("of tau2 is graded by what its tasks ask for: without COMMUNICATE nothing must be said, and what is not known is named", async () => {
    const path = join(folder, "tau2-airline", "tasks.json");
    const tasks = JSON.parse(await readFile(path, "utf8"));
    const outputsWith = async (basis: readonly string[]) => {
      tasks[3].evaluation_criteria.reward_basis = basis;
      await writeFile(path, JSON.stringify(tasks));
      const { tasks: read } = await readTau2Airline(dataFolder(folder));
      const all = Array.from(read.values()).flat();
      return all.find(({ id }) => id === "tau2-airline-03")?.outputs;
    };
    expect(await outputsWith(["COMMUNICATE", "DB"])).toEqual(["4"]);
    expect(await outputsWith(["DB"])).toEqual([]);
    await expect(outputsWith(["DB", "ACTION"])).rejects.toThrow("task 3 is graded by ACTION");
    await expect(outputsWith(["COMMUNICATE"])).rejects.toThrow("task 3 is graded without DB");
    await cp(join(TAU_BENCH, "tau2-airline", "tasks.json"), path);
  });

  it.each(["airline", "retail", "tau2-airline"] as const)(
    "that is not there, or is a file, is named, with what %s needs",
    async (domain) => {
      const file = join(folder, "file");
      await writeFile(file, "x");
      for (const place of ["/nowhere", file]) {
        await expect(DOMAINS[domain](dataFolder(place))).rejects.toMatchObject({
          code: "environment.data-missing",
          message: expect.stringContaining(join(place, domain)),
          next: expect.stringContaining(`${domain}/: `),
        });
      }
    },
  );
});
