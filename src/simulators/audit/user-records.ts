// What a database knows about one user, asked for through the tools that an agent has.
import type { Environment } from "#core/environment/environment.ts";

/** Tools that show a user, and those that show what belongs to the user, by what the record calls their ids. */
const USER_TOOL = "get_user_details";
const OWNED: readonly (readonly [list: RegExp, tool: string, argument: string])[] = [
  [/"reservations": \[([^\]]*)\]/, "get_reservation_details", "reservation_id"],
  [/"orders": \[([^\]]*)\]/, "get_order_details", "order_id"],
];

/** Texts of the user's profile, reservations and orders; none for an environment without such tools. */
export function knownRecords(environment: Environment, userId: string): string[] {
  const initial = environment.reset();
  const show = (name: string, args: object): string[] => {
    const { observation, isError } = environment.step(initial, { name, argumentsJson: JSON.stringify(args) });
    return isError ? [] : [observation];
  };
  return show(USER_TOOL, { user_id: userId }).flatMap((profile) => [
    profile,
    ...OWNED.flatMap(([list, tool, argument]) => idsIn(list.exec(profile)?.[1] ?? "").flatMap((id) => show(tool, { [argument]: id }))),
  ]);
}

const idsIn = (list: string): string[] => Array.from(list.matchAll(/"([^"]+)"/g), ([, id = ""]) => id);
