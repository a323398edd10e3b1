"""The embedded policy server: small Qwen3 policies over HTTP with vLLM's field names.

The sampled tokens and their log-probabilities are a pure function of (weights, prompt token ids, temperature, seed), to the bit,
on one machine: not of what else is in the batch, of what was cached, or of how a prompt was cut into steps. See forward.py.
"""
