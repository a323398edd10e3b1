// `npm run fix`: everything that the checks can repair by themselves.
import { npmTool, pythonTool, runShown } from "./commands.ts";

await runShown(npmTool("biome", "check", "--write", "."));
await runShown(npmTool("eslint", "--fix", "."));
await runShown(pythonTool("ruff", "check", "--fix", "."));
await runShown(pythonTool("ruff", "format", "."));
