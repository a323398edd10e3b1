// Variables that are set to nothing, and secrets.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSecret, readSettings } from "#adapters/settings.ts";

const NAMES = [
  "TURNWISE_HOME",
  "TURNWISE_TEMPORAL_ADDRESS",
  "TURNWISE_NAMESPACE",
  "TURNWISE_POLICY_URL",
  "TURNWISE_MLFLOW_URL",
  "TURNWISE_PYTHON",
  "TURNWISE_VLLM",
  "TURNWISE_POLICY_HOSTS",
  "TURNWISE_ENVIRONMENT_HOSTS",
  "TURNWISE_TAU_BENCH",
  "TURNWISE_LOG_LEVEL",
  "TURNWISE_TEMPORAL_PORT",
  "TURNWISE_MLFLOW_PORT",
];

test("an empty variable counts as unset, whichever it is", () => {
  fc.assert(
    fc.property(fc.subarray(NAMES), fc.constantFrom("", " ", "\t"), (names, blank) => {
      expect(readSettings(Object.fromEntries(names.map((name) => [name, blank])))).toEqual(readSettings({}));
    }),
  );
});

test("a log level that is none is refused with those that are", () => {
  expect(() => readSettings({ TURNWISE_LOG_LEVEL: "loud" })).toThrow(/TURNWISE_LOG_LEVEL is "loud", wanted one of trace, .*silent/);
  expect(readSettings({ TURNWISE_LOG_LEVEL: "debug" }).logLevel).toBe("debug");
});

describe("a key's variable", () => {
  test.each([
    [undefined, "not set"],
    ["", "empty"],
    ["  ", "empty"],
  ])("with the value %j is told to be %s, and which", (MYKEY, what) => {
    expect(() => readSecret("MYKEY", { MYKEY })).toThrow(
      expect.objectContaining({
        code: "provider.unauthorized",
        message: `the environment variable MYKEY is ${what}`,
        next: "export MYKEY=…",
      }),
    );
  });

  test("gives its value", () => expect(readSecret("MYKEY", { MYKEY: "abc" })).toBe("abc"));
});
