"""What the commands do, as plain functions: load, read, plan, apply, export. Builds the real client, store, clock."""
