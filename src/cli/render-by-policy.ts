// One report for each policy, under an account of all files.
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { plainText } from "#core/text.ts";
import { renderPairs } from "./output.ts";

export function renderByPolicy<Report>(
  { reading, policies }: { readonly reading: RolloutReading; readonly policies: Readonly<Record<string, Report>> },
  render: (report: Report) => string,
): string {
  const parts = Object.entries(policies).map(([name, report]) => `# Policy ${plainText(name)}\n\n${render(report)}`);
  return [renderPairs(describeReading(reading)), ...parts].join("\n\n").trimEnd();
}
