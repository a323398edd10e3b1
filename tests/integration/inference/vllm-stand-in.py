"""Takes vLLM's command line and environment, and serves what they say with `python -m policy_server`.

What it was called with is appended to the file that STAND_IN_CALLS names, so that a test can look at it.
"""

import argparse
import json
import os
import sys

parser = argparse.ArgumentParser()
parser.add_argument("command", choices=["serve"])
parser.add_argument("model")
for option in ("--served-model-name", "--host", "--port", "--max-model-len"):
    parser.add_argument(option, required=True)
options, others = parser.parse_known_args()
variables = {name: value for name, value in os.environ.items() if name.startswith("VLLM_") or name == "HF_HUB_OFFLINE"}
with open(os.environ["STAND_IN_CALLS"], "a") as file:
    file.write(json.dumps({"pid": os.getpid(), "model": options.model, "others": others, "environment": variables}) + "\n")
if os.environ.get("STAND_IN_FAILS"):
    sys.exit("CUDA error: no kernel image is available for execution on the device")
root = os.environ.get("VLLM_RUNTIME_LORA_ALLOWED_PATH_PREFIXES", os.path.dirname(options.model))
arguments = ["--policy-root", root, "--preload", f"{options.served_model_name}={options.model}", "--host", options.host]
arguments += ["--port", options.port, "--max-context", options.max_model_len]
os.execv(sys.executable, [sys.executable, "-m", "policy_server", *arguments])
