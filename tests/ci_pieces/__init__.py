"""The ready-made pieces for CI: action.yml with its scripts, workflow files, hooks, Dockerfile."""
