"""`python -m embedder MODEL`: JSON {"texts": [...]} on standard input, JSON {"id", "vectors"} on standard output. Needs no network."""

import argparse
import json
import os
import sys

from embedder.find_model import find_model

EXIT_NO_MODEL = 3

EPILOG = f"""Exit codes: 0 done, 1 failed, 2 bad arguments, {EXIT_NO_MODEL} there is no such model."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m embedder", description="Embeds texts by a sentence model.", epilog=EPILOG)
    parser.add_argument("model", help="a folder with the model, or an installed package that carries one in its folder `model`")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the process that started this one ends")
    options = parser.parse_args(arguments)
    if options.die_with_parent:
        from model.parent import die_with_parent

        die_with_parent(os.getppid())
    os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    folder = find_model(options.model)
    if folder is None:
        print(f"there is no model {options.model}: neither a folder nor an installed package that carries one", file=sys.stderr)
        return EXIT_NO_MODEL
    from embedder.sentence_model import SentenceModel

    texts = json.load(sys.stdin)["texts"]
    model = SentenceModel(folder)
    json.dump({"id": model.id, "vectors": [model.embed(text) for text in texts]}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
