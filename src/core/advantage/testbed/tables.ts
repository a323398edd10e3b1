// The estimator testbed as tables of text, for the terminal and for docs/estimators.md.

import type { EstimatorTestbedCell, EstimatorTestbedReport, Objective } from "#contracts/estimator-testbed-report.ts";
import { formatDecimal } from "../../format.ts";

export interface TextTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const TURNS = { 1: "longer", 0: "-", "-1": "shorter" } as const;
const OBJECTIVES: Readonly<Record<Objective, string>> = {
  return: "outcome plus turn rewards",
  outcome: "the outcome alone",
  claimed: "the estimator's own objective",
};

/** What the problems are, by letter. */
export function problemTable({ problems }: EstimatorTestbedReport): TextTable {
  return {
    title: "problems",
    header: ["", "problem", "", "return makes it", "outcome makes it"],
    rows: problems.map(({ name, question, moreTurns }, position) => [
      letter(position),
      name,
      question,
      TURNS[moreTurns.return],
      TURNS[moreTurns.outcome],
    ]),
  };
}

/**
 * Cosines of one group size. "blind": the estimator gives nothing where there is something to learn; "invents": it gives something where
 * there is nothing; "-": nothing on both sides; "": not walked.
 */
export function agreementTable(report: EstimatorTestbedReport, objective: Objective, groupSize: number): TextTable {
  return matrix(report, `cosine with the gradient of ${OBJECTIVES[objective]}, groups of ${groupSize}`, groupSize, (cell) => {
    const { cosine, signs } = cell[objective];
    if (cosine !== null) return formatDecimal(cosine, 2);
    if (signs === 1) return "-";
    return cell.noise === null ? "blind" : "invents";
  });
}

/** Signal drowned in noise is no use either. */
export function noiseTable(report: EstimatorTestbedReport, groupSize: number): TextTable {
  return matrix(report, `noise of one group over the length of the expected gradient, groups of ${groupSize}`, groupSize, ({ noise }) =>
    noise === null ? "-" : formatDecimal(noise, 1),
  );
}

/**
 * By estimator and group size: on how many problems the gradient of the return is met, and how badly it is missed. "a sign wrong": it goes
 * the right way on the whole and pushes some decision the wrong way. Every problem is in one of the five columns.
 */
export function summaryTable(report: EstimatorTestbedReport): TextTable {
  const rows = report.estimators.flatMap(({ name }) =>
    report.groupSizes.map((groupSize) => {
      const cells = report.cells.filter((cell) => cell.estimator === name && cell.groupSize === groupSize);
      const cosines = cells.flatMap((cell) => (cell.return.cosine === null ? [] : [cell.return.cosine]));
      const count = (is: (cell: EstimatorTestbedCell) => boolean) => String(cells.filter(is).length);
      return [
        name,
        String(groupSize),
        `${count(({ return: { signs } }) => signs === 1)} of ${cells.length}`,
        count(({ return: { cosine, signs } }) => cosine !== null && cosine >= 0 && signs < 1),
        count(({ return: { cosine } }) => cosine !== null && cosine < 0),
        count((cell) => cell.noise === null && cell.return.signs < 1),
        count((cell) => cell.noise !== null && cell.return.cosine === null),
        cosines.length === 0 ? "-" : formatDecimal(Math.min(...cosines), 2),
      ];
    }),
  );
  return {
    title: "against the gradient of outcome plus turn rewards",
    header: ["estimator", "group", "all signs right", "a sign wrong", "against it", "blind", "invents", "lowest cosine"],
    rows,
  };
}

function matrix(
  { estimators, problems, cells }: EstimatorTestbedReport,
  title: string,
  groupSize: number,
  text: (cell: EstimatorTestbedCell) => string,
): TextTable {
  const find = (estimator: string, problem: string) =>
    cells.find((cell) => cell.estimator === estimator && cell.problem === problem && cell.groupSize === groupSize);
  return {
    title,
    header: ["estimator", ...problems.map((_, position) => letter(position))],
    rows: estimators.map(({ name }) => [
      name,
      ...problems.map((problem) => {
        const cell = find(name, problem.name);
        return cell === undefined ? "" : text(cell);
      }),
    ]),
  };
}

const letter = (position: number): string => String.fromCharCode("a".charCodeAt(0) + position);
