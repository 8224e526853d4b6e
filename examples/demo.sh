#!/usr/bin/env bash
# A tour in one minute: plan, apply, an empty second plan, a one-line change. Works on a copy; needs no account.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -r "$here/web-shop" "$work/web-shop"
cd "$work/web-shop"

step() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

step qase-iac validate
step qase-iac plan
step qase-iac apply --auto-approve
echo; echo "Everything is in Qase (here: the built-in emulator). A second plan has nothing to do:"
step qase-iac plan
echo; echo "Now one line changes:"
sed -i.bak 's/title: Pay by invoice/title: Pay by invoice within 14 days/' checkout/cases.yaml && rm checkout/cases.yaml.bak
step qase-iac plan --full
step qase-iac apply --auto-approve
step qase-iac plan
