#!/usr/bin/env bash
# A tour in one minute: plan, apply, an empty second plan, a one-line change. Works on a copy; needs no account.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -r "$here/web-shop" "$work/web-shop"
rm -rf "$work/web-shop/.qase-iac"
cd "$work/web-shop"

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
say() { printf '\n%s\n' "$*"; }
step() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }

say "A web shop's test cases in YAML. Are the files right?"
step qase-iac validate
say "What would be done in Qase? (Here: the built-in emulator.) The plan is kept, to be carried out exactly."
step qase-iac plan -o plan.json
step qase-iac apply plan.json
say "A second plan has nothing to do:"
step qase-iac plan
say "Now one line of one file changes:"
sed -i.bak 's/title: Pay by invoice/title: Pay by invoice within 14 days/' checkout/cases.yaml && rm checkout/cases.yaml.bak
step qase-iac plan --full -o plan.json
step qase-iac apply plan.json
step qase-iac plan
