import { type Attempts, leavingOneOut, withoutLastBracket } from "./attempts.ts";

const IMPORT = "from datetime import date, timedelta";

interface Step {
  readonly sign: "+" | "-";
  readonly unit: "days" | "weeks";
  readonly count: string;
}

export function dateAttempts(question: string): Attempts {
  const start = /^Take (\S+)\./.exec(question)?.[1] ?? "";
  const steps = [...question.matchAll(/(\d+) (day|week)s? (back|forward)/g)].map(
    ([, count = "", unit, way]): Step => ({ sign: way === "back" ? "-" : "+", unit: unit === "week" ? "weeks" : "days", count }),
  );
  const asksWeekday = question.includes("day of the week");
  const write = (some: readonly Step[], saysWeekday = asksWeekday) =>
    [
      IMPORT,
      `d = date.fromisoformat("${start}")`,
      ...some.map(({ sign, unit, count }) => `d ${sign}= timedelta(${unit}=${count})`),
      saysWeekday ? 'print(d.strftime("%A"))' : "print(d)",
    ].join("\n");
  const changed = (change: (step: Step) => Step) =>
    steps.map((_, at) => write(steps.map((step, index) => (index === at ? change(step) : step))));
  const right = write(steps);
  return {
    right,
    wrong: [
      ...changed((step) => ({ ...step, sign: step.sign === "+" ? "-" : "+" })),
      ...changed((step) => ({ ...step, unit: step.unit === "days" ? "weeks" : "days" })),
      ...leavingOneOut(steps).map((some) => write(some)),
      ...(asksWeekday ? [write(steps, false)] : []),
    ],
    broken: [right.replace(`${IMPORT}\n`, ""), right.replace(/(day|week)s=/, "$1="), withoutLastBracket(right)],
  };
}
