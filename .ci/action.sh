#!/usr/bin/env bash
# shellcheck disable=SC2329 # functions are called by the name of the command
# What action.yml runs: one command of qase-iac, its reports, its outputs, its comment.
# Every input comes through the environment, so none of it is ever code.
set -uo pipefail

home="$RUNNER_TEMP/qase-iac-${GITHUB_ACTION_PATH##*/}"
out="$(mktemp -d "$RUNNER_TEMP/qase-iac-report.XXXXXX")"
folder="${INPUT_FOLDER:-.}"
report="$out/report.md"
digest=""
code=0
cancelled=""
token="${INPUT_TOKEN:-${QASE_TESTOPS_API_TOKEN:-}}"
job_token="$INPUT_GITHUB_TOKEN"
unset INPUT_TOKEN INPUT_GITHUB_TOKEN QASE_TESTOPS_API_TOKEN # each is handed to those alone who need it
read -r -d '' -a args <<< "$INPUT_ARGS" || true

qase_iac() { "$home/venv/bin/qase-iac" --chdir "$folder" "$@"; }

# The comment knows the job's token and not that of Qase.
forge() { GITHUB_TOKEN="$job_token" qase_iac comment "$@"; }

# Titles in Qase are anybody's text: no line of what is printed may be a workflow command.
shown() {
  local end ended
  end="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
  echo "::stop-commands::$end"
  "$@" 2>&1
  ended=$?
  printf '\n::%s::\n' "$end"
  return "$ended"
}

# A cancelled job gets SIGINT, then SIGTERM: handed on, so that an apply finishes the call in flight and records it.
run() {
  local child ended last
  set -- --chdir "$folder" --events "$out/events.ndjson" "$@" ${args[@]+"${args[@]}"}
  QASE_TESTOPS_API_TOKEN="$token" "$home/venv/bin/qase-iac" "$@" &
  child=$!
  trap 'cancelled=1; kill -TERM "$child" 2> /dev/null' INT TERM
  wait "$child"
  ended=$?
  while [ -n "$cancelled" ]; do # a signal ends the waiting, not the command
    wait "$child"
    last=$?
    [ "$last" -eq 127 ] || ended="$last"
    kill -0 "$child" 2> /dev/null || break
  done
  trap - INT TERM
  return "$ended"
}

validate() {
  run validate --format github --report "$report" > "$out/annotations" 2> "$out/said"
  code=$?
  shown cat "$out/said"
  cat "$out/annotations" # these are workflow commands, and escaped
  rm -f "$out/annotations" "$out/said"
}

plan() {
  shown run plan --detailed-exitcode --out "$out/plan.json" --report "$report"
  code=$?
  [ -e "$out/plan.json" ] || return 0
  qase_iac show "$out/plan.json" --report "$out/report.html" > /dev/null
  digest="$("$home/venv/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["digest"])' "$out/plan.json")"
}

apply() {
  local expect="$INPUT_EXPECT" why="this is not the plan that was reviewed. Qase, the files or the state changed since"
  if [ "$expect" = reviewed ]; then
    forge --read-digest --key "plan:$folder" > "$out/approved" 2> "$out/said"
    expect="$(cat "$out/approved")"
    [ -n "$expect" ] || why="no plan of this was reviewed"
    shown cat "$out/approved" "$out/said"
    rm -f "$out/approved" "$out/said"
    expect="${expect:-none}"
  fi
  shown run apply --auto-approve --verify --detailed-exitcode --lock-timeout 600 --report "$report" \
    ${expect:+--expect "$expect"}
  code=$?
  [ "$code" -ne 5 ] || not_approved "$why"
}

# Shows the plan as it is now, with what to do, and stays a failure.
not_approved() {
  plan
  code=5
  [ -n "$digest" ] || return 0
  mv "$report" "$out/plan.md"
  {
    echo "> **Nothing was applied: $1.**"
    echo ">"
    echo "> To approve the plan below, run the workflow \`${GITHUB_WORKFLOW:-}\` by hand with"
    echo "> \`expect\`: \`$digest\`"
    echo
    cat "$out/plan.md"
  } > "$report"
  rm "$out/plan.md"
  echo "::error::Nothing was applied: $1. The summary shows the plan. To approve it: expect $digest"
}

drift() {
  shown run drift --detailed-exitcode --report "$report"
  code=$?
}

# In the place of a report that there is none of: what the last event says about the end.
failed() {
  echo "\`qase-iac $INPUT_COMMAND\` ended with exit code $code; the job's log says more."
  "$home/venv/bin/python" - "$out/events.ndjson" << 'END' 2> /dev/null
import html, json, sys
summary = json.loads(open(sys.argv[1], encoding="utf-8").readlines()[-1])["summary"]
print(f"\n<pre>\n{html.escape(summary)}\n</pre>" if summary else "")
END
}

comment() {
  local key="$INPUT_COMMAND:$folder" what=("$report")
  [ "$cancelled$INPUT_COMMAND" != 1plan ] || return 0 # a newer run is about to say what its plan is
  if [ "$INPUT_COMMAND" = plan ]; then
    [ -z "$digest" ] || what=("$out/plan.json")
  elif [ "$code" -eq 0 ] || [ "$code" -eq 2 ]; then
    what+=(--only-edit) # all is well: only a comment that said otherwise has to say so
  fi
  shown forge "${what[@]}" --key "$key" ||
    echo "::warning::The comment could not be written; the job's summary has the report."
}

case "$INPUT_COMMAND" in
  install) ;;
  validate | plan | apply | drift) "$INPUT_COMMAND" ;;
  *)
    echo "::error::command is validate, plan, apply, drift or install"
    exit 1
    ;;
esac

if [ ! -e "$report" ] && [ "$code" -ne 0 ]; then failed > "$report"; fi
[ ! -e "$report" ] || cat "$report" >> "$GITHUB_STEP_SUMMARY"
[ "$INPUT_COMMENT" != true ] || comment
{
  echo "exit-code=$code"
  echo "changes=$([ "$code" -eq 2 ] && echo true || echo false)"
  echo "digest=$digest"
  echo "report=$out"
} >> "$GITHUB_OUTPUT"

# Changes are what a plan and an apply are for; drift is what a watch is there to report.
if [ "$code" -eq 2 ] && [ "$INPUT_COMMAND" != drift ]; then code=0; fi
exit "$code"
