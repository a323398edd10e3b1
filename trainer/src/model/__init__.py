"""What the trainer and the policy server share: the shape of a policy, its files, how either fails and ends with its parent."""
