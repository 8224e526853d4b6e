"""Plays CI on one machine: workflow files of GitHub and a template of GitLab, as they are shipped, in real processes.

`expressions` evaluates `${{ }}`, `documents` reads the YAML strictly, `hosting` is the git server with its tokens, `jobs`
runs the steps of a job on a machine of its own, `workflows` triggers, queues and joins jobs, `gitlab` does the same for
`.gitlab-ci.yml`. What the player does not know is an error, never an empty string.
"""
