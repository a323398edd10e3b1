// Calibration settings as release 0.1.0 wrote them: its rule within tasks took every tier alone, in units of its correlation.

/** The same settings under today's names. What it does not know is left alone: parsing refuses it. */
export function upcastCalibration(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null) return stored;
  const rule = "rule" in stored ? stored.rule : "within-task";
  return rule === "within-task" ? { ...stored, rule: "within-task/1" } : stored;
}
