"""Optimizer steps of our trainer on the rows of trainer_rows.py, in one layout. Prints seconds and peak memory.

python trainer_ours.py FOLDER LAYOUT THREADS ROWS_PER_STEP NUM_STEPS
"""

import json
import resource
import sys
import time
from pathlib import Path

from trainer.contracts import read_training_job
from model.files import sha256_file
from trainer.job_run import configure_torch
from trainer.model_files import policy_hash


def main(folder: Path, layout: str, threads: int, rows_per_step: int, num_steps: int) -> None:
    configure_torch(threads)
    from trainer.train import create_learner

    directory = folder / f"job-{layout}"
    directory.mkdir()
    (directory / "job.json").write_text(json.dumps(job(folder, layout, threads)))
    learner = create_learner(read_training_job(directory))
    take(learner, list(range(rows_per_step)))  # warm-up
    start, tokens, losses = time.perf_counter(), 0, []
    for step in range(1, num_steps + 1):
        rows = list(range((step - 1) * rows_per_step, step * rows_per_step))
        losses.append(take(learner, rows))
        tokens += sum(len(learner._batch.rows[row].token_ids) for row in rows)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "tokens": tokens, "peakMib": peak, "losses": losses}))


def take(learner, rows: list[int]) -> float:
    """One update on given rows: gradients, clipping, AdamW. As TrainLearner.take_step, which draws its rows."""
    sums = learner._accumulate_gradients(rows, lambda: None)
    learner._clip_gradients(1, sums.loss)
    learner._optimizer.step(learner._hyper.learning_rate)
    return sums.loss


def job(folder: Path, layout: str, threads: int) -> dict:
    return {
        "schemaVersion": 1,
        "jobId": "bench",
        "backend": "cpu",
        "threads": threads,
        "modelDirectory": str(folder / "model"),
        "modelHash": policy_hash(folder / "model"),
        "referenceDirectory": None,
        "optimizerState": None,
        "batchPath": str(folder / "batch.safetensors"),
        "batchSha256": sha256_file(folder / "batch.safetensors"),
        "temperature": 1,
        "seed": 0,
        "hyperparameters": {
            "learningRate": 1e-5,
            "betas": [0.9, 0.999],
            "weightDecay": 0,
            "numMinibatches": 1,
            "epochs": 1,
            "warmupSteps": 0,
            "clipLow": 0.2,
            "clipHigh": 0.2,
            "dualClip": 3,
            "klWeight": 0,
            "gradientClip": 1,
            "maxGradientNorm": 1000,
            "aggregation": "token-mean",
            "checkpointEverySteps": 1,
            "layout": layout,
            "microBatchTokens": 65536,
            "importanceTruncation": None,
        },
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]))
