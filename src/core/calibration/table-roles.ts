// The tables of a report by the role that they play: one table plays two until the first adoption.
import type { TableRole } from "#contracts/calibration-report.ts";

const NAMES: Readonly<Record<TableRole, string>> = { author: "author's", "in-force": "in force", fitted: "fitted" };

/** What a table is called: "author's, in force", "fitted". */
export function nameRoles(roles: readonly TableRole[]): string {
  return roles.map((role) => NAMES[role]).join(", ");
}

/** The entry of a role; undefined where the report does not have that table (reports of 0.1.0). */
export function inRole<Entry extends { readonly roles: readonly TableRole[] }>(
  entries: readonly Entry[],
  role: TableRole,
): Entry | undefined {
  return entries.find(({ roles }) => roles.includes(role));
}
