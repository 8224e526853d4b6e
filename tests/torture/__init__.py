"""The full fault matrix: `make torture` (docs/reliability.md). Not collected by pytest; tests/scenario samples it."""
