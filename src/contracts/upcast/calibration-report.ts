// Calibration reports of 0.1.0: two tables, the "prior" being the one in force. Where that one was hand-set it was the author's, too;
// else the author's table is not in the report.
import { z } from "zod";
import { upcastCalibration } from "./calibration.ts";

const InRole = z.looseObject({ table: z.enum(["prior", "fitted"]) });
const Version1 = z.looseObject({
  schemaVersion: z.literal(1),
  config: z.looseObject({}),
  priorTable: z.looseObject({ lineage: z.looseObject({ bufferSha256: z.string().nullable() }) }),
  splits: z.array(z.looseObject({})),
  assessments: z.array(InRole),
  profiles: z.array(InRole),
  gate: z.looseObject({ rows: z.array(z.looseObject({ criterion: z.string() })) }),
  keptPrior: z.unknown(),
});

/** A report of version 1 as one of version 2; the tables and the config in it are brought on by their own upcasters. */
export function upcastCalibrationReport(value: unknown): unknown {
  const parsed = Version1.safeParse(value);
  if (!parsed.success) return value;
  const { priorTable, keptPrior, ...report } = parsed.data;
  const isAuthors = priorTable.lineage.bufferSha256 === null;
  const roles = { prior: isAuthors ? ["author", "in-force"] : ["in-force"], fitted: ["fitted"] };
  const inRole = ({ table, ...rest }: z.infer<typeof InRole>) => ({ roles: roles[table], ...rest });
  const criterion = (name: string) =>
    name === "not-worse-than-prior" ? (isAuthors ? "not-worse-than-author" : "not-worse-than-in-force") : name;
  return {
    ...report,
    schemaVersion: 2,
    config: upcastCalibration(report.config),
    authorTable: isAuthors ? priorTable : null,
    inForceTable: priorTable,
    splits: report.splits.map((split) => ({ ...split, deeds: [] })),
    assessments: report.assessments.map(inRole),
    profiles: report.profiles.map(inRole),
    gate: { ...report.gate, rows: report.gate.rows.map((row) => ({ ...row, criterion: criterion(row.criterion) })) },
    kept: keptPrior,
    scale: null,
  };
}
