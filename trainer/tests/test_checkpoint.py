"""Which checkpoints are kept."""

from pathlib import Path

import torch

from trainer.checkpoint import Checkpoint, Checkpoints


def save(store: Checkpoints, losses: list[float | None]) -> list[str]:
    for step, loss in enumerate(losses, start=1):
        store.save(Checkpoint(step, {"model": {"w": torch.tensor([float(step)])}}, {"steps": []}, loss))
    return sorted(path.name for path in store.root.iterdir())


def test_the_last_two_are_kept_and_the_one_with_the_lowest_validation_loss(tmp_path: Path) -> None:
    assert save(Checkpoints(tmp_path, "job"), [3.0, 1.0, 2.0, 2.5, 2.0]) == ["step-000002", "step-000004", "step-000005"]


def test_where_nothing_is_measured_the_last_two_are_kept(tmp_path: Path) -> None:
    assert save(Checkpoints(tmp_path, "job"), [None, None, None]) == ["step-000002", "step-000003"]


def test_the_newest_is_gone_on_from_not_the_best(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path, "job")
    save(store, [1.0, 2.0, 3.0])
    found = store.load_last_good({}, lambda _: None)
    assert found is not None
    assert (found.step, found.tensors["model"]["w"].item()) == (3, 3.0)
