"""The numpy reference of the estimators is itself held to the worked examples."""

import numpy as np
import pytest

from advantage_reference import compute

REWARDS = [[0.3, 1, 0], [0.3, 0.75, 1], [0.3, 0.1], [-0.1, 0.3, -0.2, 0]]
GROUP = [{"rewards": rewards, "outcome": outcome} for rewards, outcome in zip(REWARDS, [1, 1, 0, 0], strict=True)]

EXPECTED = {
    "grpo/1": [[0.866024] * 3, [0.866024] * 3, [-0.866024] * 2, [-0.866024] * 4],
    "mt-grpo/1": [
        [2.076418, 1.576421, 0.451244],
        [3.02364, 2.523642, 2.006669],
        [-1.430383, -1.930381],
        [-3.669675, -2.169683, -1.591889, -0.866024],
    ],
    "gtpo/1": [[0.59795, 0.573442, 0.031734], [1.084629, 1.115606, 0.983754], [-0.68239, -0.852865], [-1.000188, -0.836183, -1.015488, 0]],
    "gtpo-hybrid/1": [
        [0.857757, 0.83325, 0.291541],
        [1.344436, 1.375413, 1.243561],
        [-0.942198, -1.112672],
        [-1.259995, -1.09599, -1.275296, -0.259807],
    ],
}


@pytest.mark.parametrize("estimator", EXPECTED)
def test_worked_example_2(estimator):
    [advantages] = compute([GROUP], {"type": estimator})
    for row, expected in zip(advantages, EXPECTED[estimator], strict=True):
        np.testing.assert_allclose(row, expected, atol=1e-6)
