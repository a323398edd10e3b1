"""Training and serving of policies. Algorithm-blind: batches carry per-token advantages, and no module here knows what a reward tier is."""

__version__ = "0.1.0"
