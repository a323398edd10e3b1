// One run of a task in its world, and what it earned.

/** What an episode earned. */
export interface Grade {
  /** In [0, 1]. */
  readonly reward: number;
  /** What statistics of "pass" count; an environment says it apart, since a graded reward does not. */
  readonly passed: boolean;
  /** What the reward is made of, by name. `database`, 1 or 0, is whether the final database is the golden one. */
  readonly parts: Readonly<Record<string, number>>;
  /** One line for people: why it is no pass. */
  readonly detail?: string;
}
