// npm run bench -- NAME [--quick] [--json]: one benchmark as a table, or as JSON.
import { exitCodeOf, printFailure } from "../src/cli/failure.ts";
import type { BenchmarkOptions, BenchmarkReport } from "./report.ts";
import { renderReport } from "./report.ts";

const BENCHMARKS: Readonly<Record<string, () => Promise<{ run: (options: BenchmarkOptions) => Promise<BenchmarkReport> }>>> = {
  calibration: () => import("./calibration.ts"),
  "code-sandbox": () => import("./code-sandbox.ts"),
  environment: () => import("./environment.ts"),
  export: () => import("./export.ts"),
  failures: () => import("./failures.ts"),
  gpu: () => import("./gpu.ts"),
  record: () => import("./record.ts"),
  serving: () => import("./serving.ts"),
  start: () => import("./start.ts"),
  trainer: () => import("./trainer.ts"),
};

const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const load = names.length === 1 ? BENCHMARKS[names[0] ?? ""] : undefined;
if (load === undefined) {
  console.error(`which benchmark? one of: ${Object.keys(BENCHMARKS).join(", ")}`);
  process.exit(64);
}
const isJson = process.argv.includes("--json");
try {
  const { run } = await load();
  const report = await run({ isQuick: process.argv.includes("--quick") });
  console.log(isJson ? JSON.stringify(report, null, 2) : renderReport(report));
} catch (error) {
  printFailure(error, isJson);
  process.exitCode = exitCodeOf(error);
}
