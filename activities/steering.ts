// The words that steer a campaign, into the record; and what a guard looks at before a stage.
import type { FreeSpace } from "#contracts/activities.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export function createSteeringActivities(deps: ActivityDependencies) {
  return {
    /** Safe to repeat: the same word is written once. */
    async recordWord(word: SteeringWord): Promise<void> {
      await deps.record.putSteeringWord(word);
    },

    async freeSpace(): Promise<FreeSpace> {
      return { freeGb: (await deps.freeBytes()) / 1e9 };
    },
  };
}
