// Fitted values in the author's units. A fit speaks in correlations, the author in rewards; what they say of the same deeds is the rate
// between the two. Without it a tier that the data speaks for would shrink beside one that nothing is known about.

/** A deed that was fitted: the author's value of the tier that speaks for it, and what the fit says. */
export interface FittedDeed {
  readonly author: number;
  readonly fitted: number;
}

/** So many of the author's units for so many of the fit's. Two numbers, so that a lone deed gets exactly the author's value. */
export interface Rate {
  readonly author: number;
  readonly fitted: number;
}

/**
 * The rate over the deeds that both value: what the author spends on them in all is spent again, in the shares that the data asks for.
 * Where they have no deed in common a perfect correlation is worth the most that the author pays for anything, or 1 when that is nothing.
 */
export function rateOf(deeds: readonly FittedDeed[], authorValues: readonly number[]): Rate {
  const common = deeds.filter(({ author, fitted }) => author !== 0 && fitted !== 0);
  const total = (pick: (deed: FittedDeed) => number) => common.reduce((sum, deed) => sum + Math.abs(pick(deed)), 0);
  if (common.length > 0) return { author: total(({ author }) => author), fitted: total(({ fitted }) => fitted) };
  const largest = Math.max(0, ...authorValues.map(Math.abs));
  return { author: largest === 0 ? 1 : largest, fitted: 1 };
}

export function convert(fitted: number, rate: Rate): number {
  return (fitted / rate.fitted) * rate.author;
}
