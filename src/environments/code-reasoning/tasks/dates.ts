// Sums of dates in the Gregorian calendar, over months, leap days and centuries.
import type { Random } from "#core/random-source.ts";
import type { TaskFamily } from "./family.ts";

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;
/** Days that a step goes at most, by difficulty. */
const REACH = [25, 120, 1_000, 20_000, 60_000];
/** 1990-01-01 to 2030-12-31 as days since 0000-03-01. */
const [FIRST_DAY, LAST_DAY] = [dayNumber(1990, 1, 1), dayNumber(2030, 12, 31)];
const DAYS_OF_CYCLE = 146_097;

interface Step {
  readonly days: number;
  readonly words: string;
}

/** Two steps from difficulty 4 on; from difficulty 3 on half of the tasks ask for the weekday. */
export const dates: TaskFamily = (random, difficulty) => {
  const start = random.int(FIRST_DAY, LAST_DAY);
  const steps = Array.from({ length: difficulty < 4 ? 1 : 2 }, () => drawStep(random, REACH[difficulty - 1] as number));
  const end = start + steps.reduce((sum, { days }) => sum + days, 0);
  const asksWeekday = difficulty >= 3 && random.chance(0.5);
  const path = steps.map(({ words }) => words).join(", and then ");
  return {
    question: `Take ${dateText(start)}. Go ${path}. ${asksWeekday ? "Which day of the week is that? Answer with its English name." : "Which date is that? Answer as YYYY-MM-DD."}`,
    answer: asksWeekday ? weekday(end) : dateText(end),
    tests: null,
    solution: [
      "from datetime import date, timedelta",
      `d = date.fromisoformat("${dateText(start)}")`,
      ...steps.map(({ days }) => `d += timedelta(days=${days})`),
      asksWeekday ? `print(${JSON.stringify(WEEKDAYS)}[d.weekday()])` : "print(d)",
    ].join("\n"),
  };
};

function drawStep(random: Random, reach: number): Step {
  const isBack = random.chance(0.4);
  const inWeeks = random.chance(0.3);
  const count = inWeeks ? random.int(1, Math.ceil(reach / 7)) : random.int(2, reach);
  const unit = inWeeks ? "week" : "day";
  return {
    days: (isBack ? -1 : 1) * count * (inWeeks ? 7 : 1),
    words: `${count} ${unit}${count === 1 ? "" : "s"} ${isBack ? "back" : "forward"}`,
  };
}

/** Days since 0000-03-01: a year that begins in March ends with its leap day. */
function dayNumber(year: number, month: number, day: number): number {
  const [y, m] = month > 2 ? [year, month - 3] : [year - 1, month + 9];
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + Math.floor((153 * m + 2) / 5) + day - 1;
}

function dateText(dayOfAll: number): string {
  const cycle = Math.floor(dayOfAll / DAYS_OF_CYCLE);
  const day = dayOfAll - cycle * DAYS_OF_CYCLE;
  const y = Math.floor((day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
  const dayOfYear = day - (365 * y + Math.floor(y / 4) - Math.floor(y / 100));
  const m = Math.floor((5 * dayOfYear + 2) / 153);
  const month = m < 10 ? m + 3 : m - 9;
  const year = cycle * 400 + y + (month <= 2 ? 1 : 0);
  const padded = (value: number, length: number) => String(value).padStart(length, "0");
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(dayOfYear - Math.floor((153 * m + 2) / 5) + 1, 2)}`;
}

/** 0000-03-01 was a Wednesday. */
const weekday = (dayOfAll: number): string => WEEKDAYS[(dayOfAll + 2) % 7] as string;
