"""Batch files for the trainers of others: prime-rl and verl. See docs/engines.md.

Estimators, tiers and rewards stay here: what crosses is tokens, masks, log-probabilities and advantages.
"""
