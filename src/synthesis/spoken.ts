// Dates as people say them.
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** ["2024-05-20", "2024-05-21"] -> "May 20 or 21" */
export function spokenDates(dates: readonly string[]): string {
  const days = dates.map((date) => String(Number(date.slice(8))));
  const month = MONTHS[Number(dates[0]?.slice(5, 7)) - 1] ?? "";
  const [last = ""] = days.slice(-1);
  return `${month} ${days.length === 1 ? last : `${days.slice(0, -1).join(", ")} or ${last}`}`;
}
