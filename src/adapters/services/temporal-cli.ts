// Our Temporal CLI, without what a person has set up for another server.
import { devNull } from "node:os";

/**
 * Options of every call: no variable, no temporal.toml and no temporal.yaml of another server names an address, a key or a certificate here.
 * (The CLI looks for `--env-file` as a word of its own, so no `=`.)
 */
export const OURS_ALONE = ["--disable-config-env", "--disable-config-file", "--env-file", devNull] as const;
