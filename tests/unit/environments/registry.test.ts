// The one list of environments: what a campaign file names is parsed by its plugin, and what it names wrong is told with what there is.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { promptFormat } from "#core/prompt-format/formats.ts";
import { CampaignFile, ENVIRONMENTS, pluginFor } from "#environments/registry.ts";
import { compactFormat } from "#environments/synthetic-airline/compact-format/compact.ts";

describe("the registry of environments", () => {
  test("has each id once, and the schema of a plugin takes its own type alone", () => {
    expect(new Set(ENVIRONMENTS.map(({ id }) => id)).size).toBe(ENVIRONMENTS.length);
    for (const { id, configSchema } of ENVIRONMENTS)
      for (const other of ENVIRONMENTS)
        if (other.id !== id) expect(configSchema.safeParse({ type: other.id }).error?.issues.map(({ path }) => path[0])).toContain("type");
  });

  test("an unknown type is refused with the types that there are, an unknown setting with the one that is meant", () => {
    const ids = ENVIRONMENTS.map(({ id }) => id).join(", ");
    expect(() => pluginFor({ type: "tau-bench" })).toThrow(
      expect.objectContaining({ code: "config.invalid", message: `unknown environment tau-bench; there are ${ids}` }),
    );
    expect(() => pluginFor({ type: "synthetic-airline", sed: 3 })).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining("did you mean seed?") }),
    );
    expect(pluginFor({ type: "synthetic-airline" }).config).toEqual({
      type: "synthetic-airline",
      seed: 1,
      splits: "train-selection-test",
    });
  });

  test("the JSON schema of campaign files shows every environment", () => {
    const text = JSON.stringify(z.toJSONSchema(CampaignFile, { io: "input" }));
    for (const { id } of ENVIRONMENTS) expect(text).toContain(`"const":"${id}"`);
  });

  test("a prompt format is the model's own or one of the task set, and any other is refused with those that there are", () => {
    expect(promptFormat("native", {})).toBeNull();
    expect(promptFormat("compact", { compact: compactFormat })).toBe(compactFormat);
    for (const name of ["compact", "toString"])
      expect(() => promptFormat(name, { short: compactFormat })).toThrow(
        expect.objectContaining({ code: "config.invalid", next: "set policy.format to one of short, native" }),
      );
  });
});
