"""Where a model lies. Light: what is not there is told before anything heavy is imported."""

import importlib.util
from pathlib import Path


def find_model(name: str) -> Path | None:
    """The folder of that path, or the folder `model` of an installed package of that name."""
    if (Path(name) / "config.json").is_file():
        return Path(name)
    package = name.replace("-", "_")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    folders = [Path(place) / "model" for place in (spec.submodule_search_locations or [] if spec else [])]
    return next((folder for folder in folders if (folder / "config.json").is_file()), None)
