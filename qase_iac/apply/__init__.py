"""Plan -> calls, in order, recorded before and after each; knows the API only as a Protocol of its own."""
