"""Places that keep a state for many machines: each keeps one document and one lease (remote.py works with them)."""
