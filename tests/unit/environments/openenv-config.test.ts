// The address of an OpenEnv server: a path is added to it, so nothing may stand behind its own.
import { expect, test } from "vitest";
import { OpenEnvConfig } from "#environments/openenv/config.ts";

const addressed = (url: string) => OpenEnvConfig.safeParse({ type: "openenv", systemPrompt: "Do it.", url, tasks: { train: [] } });

test.each(["http://127.0.0.1:8000/?key=1", "http://127.0.0.1:8000/#part", "ftp://127.0.0.1", "nowhere"])("%s is refused", (url) => {
  expect(addressed(url).error?.issues.map(({ path }) => path)).toEqual([["url"]]);
});

test.each(["http://127.0.0.1:8000", "https://[::1]/env/a"])("%s is one", (url) => expect(addressed(url).success).toBe(true));
