// What a campaign expects of its Temporal namespace.

/** A dev server keeps closed workflows for a day; a campaign's history should outlive it by far. */
export const RETENTION_DAYS = 90;
export const SEARCH_ATTRIBUTES: Readonly<Record<string, string>> = {
  TurnwiseCampaign: "Keyword",
  TurnwiseState: "Keyword",
  TurnwiseStage: "Keyword",
  TurnwiseIteration: "Int",
};
