"""What the tool remembers between runs: the state, the journal of the run under way, the lock."""
