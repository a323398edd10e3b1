"""Which folder a name of an embedder means."""

import sys
from pathlib import Path

import pytest

from embedder.__main__ import EXIT_NO_MODEL, main
from embedder.find_model import find_model


def test_a_folder_is_itself(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert find_model(str(tmp_path)) == tmp_path


def test_a_package_has_it_in_its_folder_model_and_hyphens_are_underscores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "some_sentence_model" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_model("some-sentence-model") is None
    (model / "config.json").write_text("{}")
    assert find_model("some-sentence-model") == model


@pytest.mark.parametrize("name", ["no-such-model", "json", "../etc", "a.b", ""])
def test_what_carries_no_model_is_refused_before_anything_heavy_is_loaded(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_model(name) is None
    assert main([name]) == EXIT_NO_MODEL
    assert "there is no model" in capsys.readouterr().err
    assert "embedder.sentence_model" not in sys.modules
