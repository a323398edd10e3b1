// turnwise gc [CAMPAIGN…] [--dry-run]: removes what the record no longer needs. Safe beside running campaigns; needs no server.
import type { Command } from "commander";
import { openRecord } from "#adapters/record/open-record.ts";
import { type Amount, collectGarbage, type GarbageReport, type GarbageRow } from "#adapters/retention/collect-garbage.ts";
import { readSettings } from "#adapters/settings.ts";
import { type Column, emit, formatBytes, type OutputOptions, plainText, renderTable } from "../output.ts";
import { style } from "../style.ts";

export function registerGc(program: Command): void {
  program
    .command("gc")
    .argument("[campaigns...]", "only what these let go; without any: all of them, and files that belong to none")
    .option("--dry-run", "say what would go, remove nothing")
    .option("--json")
    .description("free the room of weights, moments, job folders and leftovers that no campaign keeps (docs/retention.md)")
    .action(gc);
}

async function gc(campaigns: readonly string[], options: OutputOptions & { readonly dryRun?: boolean }): Promise<void> {
  const { recordRoot, policyRoot, jobRoot } = readSettings();
  const report = await collectGarbage({
    ...openRecord(recordRoot),
    policyRoot,
    jobRoot,
    now: Date.now(),
    isDryRun: options.dryRun === true,
    campaigns: campaigns.length === 0 ? null : campaigns,
  });
  emit(report, options, render);
}

const amount = ({ count, numBytes }: Amount): string => (count === 0 ? "–" : `${count} (${formatBytes(numBytes)})`);

const columns = (isDryRun: boolean): Column<GarbageRow>[] => [
  { header: "what", value: ({ kind }) => kind },
  { header: isDryRun ? "would go" : "gone", align: "right", value: ({ freed }) => amount(freed) },
  { header: isDryRun ? "would stay" : "stays", align: "right", value: ({ left }) => amount(left) },
];

function render({ isDryRun, rows, freedBytes, notes }: GarbageReport): string {
  const total = isDryRun ? `${formatBytes(freedBytes)} would be free` : `${formatBytes(freedBytes)} freed`;
  return [
    ...(rows.length === 0 ? [] : [renderTable(columns(isDryRun), rows)]),
    rows.every(({ freed }) => freed.count === 0) ? "nothing to free" : total,
    ...notes.map((note) => style.dim(plainText(note))),
  ].join("\n");
}
