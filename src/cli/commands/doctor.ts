// turnwise doctor: every part's version, place and state, and a remedy for each problem.
import type { Command } from "commander";
import { diagnoseHere, type Finding } from "#application/services/diagnose.ts";
import { emit, type OutputOptions, renderTable } from "../output.ts";
import { style } from "../style.ts";

const PROBLEM_EXIT_CODE = 3;
const MARKS: Readonly<Record<Finding["state"], string>> = {
  ok: style.green("ok"),
  absent: style.dim("absent"),
  ignored: style.dim("ignored"),
  warning: style.yellow("warning"),
  problem: style.red("problem"),
};

export function registerDoctor(program: Command): void {
  program.command("doctor").option("--json").action(doctor);
}

async function doctor(options: OutputOptions): Promise<void> {
  const findings = await diagnoseHere();
  if (findings.some(({ state }) => state === "problem")) process.exitCode = PROBLEM_EXIT_CODE;
  emit({ findings }, options, () => describe(findings));
}

function describe(findings: readonly Finding[]): string {
  const table = renderTable(
    [
      { header: "part", value: ({ part }) => part },
      { header: "state", value: ({ state }) => MARKS[state] },
      { header: "version", value: ({ version }) => version ?? "" },
      { header: "about", value: ({ detail }) => detail ?? "" },
      { header: "place", value: ({ place }) => place ?? "" },
    ],
    findings,
  );
  const remedies = findings.filter(({ remedy }) => remedy !== null).map(({ part, remedy }) => `${part}: ${remedy}`);
  return remedies.length === 0 ? table : `${table}\n\n${remedies.join("\n")}`;
}
