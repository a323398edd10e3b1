// What `turnwise doctor` says of one part.

export interface Finding {
  readonly part: string;
  readonly version: string | null;
  readonly place: string | null;
  /** "absent" is fine: the part is not needed here. So is "ignored": it was meant for other programs. */
  readonly state: "ok" | "absent" | "ignored" | "warning" | "problem";
  /** What is the matter, in words. */
  readonly detail: string | null;
  readonly remedy: string | null;
}
