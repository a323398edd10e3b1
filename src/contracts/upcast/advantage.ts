// Advantage settings as release 0.1.0 wrote them: the same seven switches on every estimator, read or not.
import { z } from "zod";
import { AdvantageConfig } from "../advantage-config.ts";

const EVERYWHERE = ["ddof", "epsilon", "minSetSize", "singletons", "missingTurns"];
/** What each estimator of 0.1.0 did not read. Their formulas stand as they were, so that nothing else changes. */
const UNREAD: Readonly<Record<string, readonly string[]>> = {
  "grpo/1": ["missingTurns"],
  "mt-grpo/1": [],
  "gtpo/1": [],
  "gtpo-hybrid/1": [],
  "gdpo/1": ["missingTurns"],
  "proxmo/1": EVERYWHERE,
  "a3/1": EVERYWHERE,
};

/**
 * Drops the switches that had no effect on the advantages. What has none today is left alone, unknown keys too: parsing refuses them.
 * The check columns A^I and A^O of a calibration report did look at them; they now take the published normalisation there.
 */
export function upcastAdvantage(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null || !("type" in stored)) return stored;
  const unread = UNREAD[String(stored.type)] ?? [];
  return Object.fromEntries(Object.entries(stored).filter(([name]) => !unread.includes(name)));
}

/** Inside artifacts, which may be of any release. */
export const StoredAdvantageConfig = z.preprocess(upcastAdvantage, AdvantageConfig);
