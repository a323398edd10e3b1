// What every benchmark returns, as a table and as JSON.
import { cpus } from "node:os";
import { formatNumber } from "#core/format.ts";
import { renderTable } from "../src/cli/output.ts";

export interface BenchmarkRow {
  readonly case: string;
  readonly unit: string;
  readonly ours: number;
  /** The same measured elsewhere; null where there is nothing to compare with. */
  readonly peer: number | null;
  /** Which program and version, and where it was measured. */
  readonly peerName: string | null;
  /** Above 1 means that ours is better; null without a peer. */
  readonly ratio: number | null;
}

export interface BenchmarkReport {
  readonly benchmark: string;
  readonly device: string;
  readonly rows: readonly BenchmarkRow[];
}

export interface BenchmarkOptions {
  /** A tenth of the work: for a look, not for a result. */
  readonly isQuick: boolean;
}

/** A row where more is better. */
export function rateRow(
  name: string,
  unit: string,
  ours: number,
  peer: { readonly value: number; readonly name: string } | null,
): BenchmarkRow {
  return {
    case: name,
    unit,
    ours,
    peer: peer?.value ?? null,
    peerName: peer?.name ?? null,
    ratio: peer === null ? null : ours / peer.value,
  };
}

/** Processor model and number of cores of this machine, and the Node that runs. */
export function describeDevice(): string {
  const cores = cpus();
  return `${cores[0]?.model.trim() ?? "unknown processor"}, ${cores.length} cores, Node ${process.versions.node}`;
}

export function renderReport({ benchmark, device, rows }: BenchmarkReport): string {
  const table = renderTable<BenchmarkRow>(
    [
      { header: "case", value: (row) => row.case },
      { header: "ours", align: "right", value: (row) => formatNumber(row.ours) },
      { header: "peer", align: "right", value: (row) => formatNumber(row.peer) },
      { header: "unit", value: (row) => row.unit },
      { header: "ratio", align: "right", value: (row) => formatNumber(row.ratio, 3) },
      { header: "measured against", value: (row) => row.peerName ?? "–" },
    ],
    rows,
  );
  return `${benchmark}  (${device})\n${table}`;
}
