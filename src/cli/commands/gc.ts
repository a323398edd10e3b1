// turnwise gc [CAMPAIGN…] [--dry-run]: removes what the record no longer needs. Safe beside running campaigns; needs no server.
import type { Command } from "commander";
import { type Amount, freeRoom, type GarbageReport, type GarbageRow } from "#application/campaign/free-room.ts";
import { formatBytes } from "#core/format.ts";
import { plainText } from "#core/text.ts";
import { type Column, emit, type OutputOptions, renderTable } from "../output.ts";
import { style } from "../style.ts";

export function registerGc(program: Command): void {
  program
    .command("gc")
    .argument("[campaigns...]", "only what these let go; without any: all of them, and files that belong to none")
    .option("--dry-run", "say what would go, remove nothing")
    .option("--json")
    .action(gc);
}

async function gc(campaigns: readonly string[], options: OutputOptions & { readonly dryRun?: boolean }): Promise<void> {
  const report = await freeRoom({ campaigns: campaigns.length === 0 ? null : campaigns, isDryRun: options.dryRun === true });
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
