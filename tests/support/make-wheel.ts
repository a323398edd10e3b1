// A Python wheel of our own, so that tests of installations need no network.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SCRIPT = `
import base64, hashlib, sys, zipfile
folder, name, version = sys.argv[1:]
info = f"{name}-{version}.dist-info"
files = {
    f"{name}/__init__.py": f"VERSION = '{version}'\\n" * 50,
    f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
record = "".join(f"{path},sha256={digest(text)},{len(text)}\\n" for path, text in files.items()) + f"{info}/RECORD,,\\n"
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    for path, text in {**files, f"{info}/RECORD": record}.items():
        wheel.writestr(path, text)
`;

/** Writes the wheel and answers its line for a requirements lock. */
export function makeWheel(folder: string, name: string, version: string): string {
  mkdirSync(folder, { recursive: true });
  execFileSync("python3", ["-c", SCRIPT, folder, name, version]);
  const sha256 = createHash("sha256")
    .update(readFileSync(join(folder, `${name}-${version}-py3-none-any.whl`)))
    .digest("hex");
  return `${name}==${version} \\\n    --hash=sha256:${sha256}\n`;
}
