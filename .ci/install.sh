#!/usr/bin/env bash
# Installs qase-iac, at the version of this very action, into an environment of its own (action.yml).
set -euo pipefail

case "$INPUT_EXTRAS" in
  *[!a-z0-9,]*) echo "::error::extras are names, separated by commas, such as s3"; exit 1 ;;
esac
extras="${INPUT_EXTRAS:+[$INPUT_EXTRAS]}"
home="$RUNNER_TEMP/qase-iac-${GITHUB_ACTION_PATH##*/}"

if [ ! -e "$home/installed$extras" ]; then
  "$PYTHON" -m venv "$home/venv"
  "$home/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH$extras"
  mkdir -p "$home/bin" # a folder for the program alone: the venv's Python must not become the job's
  ln -sf "$home/venv/bin/qase-iac" "$home/bin/qase-iac"
  touch "$home/installed$extras"
fi
echo "$home/bin" >> "$GITHUB_PATH"
