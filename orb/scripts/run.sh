#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Calls `binauthz VERB`. A parameter X of the orb arrives as BINAUTHZ_PARAM_X and becomes the option of the same name;
# what options mean, and whether their values are good, is the CLI's business alone.
set -euo pipefail

fail() {
  printf 'error: %s\n' "$1" >&2
  if [[ $# -gt 1 ]]; then printf '  hint: %s\n' "$2" >&2; fi
  exit 2
}

# KMS_KEY becomes --kms-key.
option() {
  printf -- '--%s' "$1" | tr 'A-Z_' 'a-z-'
}

# $VAR and ${VAR} in a text, by CircleCI's rules. The text goes through standard input, so it is in no process list.
expand() {
  if [[ "$1" != *'$'* ]]; then
    printf '%s' "$1"
  elif command -v circleci >/dev/null; then
    printf '%s' "$1" | circleci env subst
  else
    printf 'warning: %s: there is no circleci program here, so variables stay as they are written\n' "$2" >&2
    printf '%s' "$1"
  fi
}

[[ "${BINAUTHZ_VERB:-}" =~ ^[a-z]+$ ]] || fail 'BINAUTHZ_VERB: expected a command of binauthz'
arguments=("$BINAUTHZ_VERB")
has_verdict=false
if [[ "$BINAUTHZ_VERB" == check ]]; then has_verdict=true; fi

# An empty value is passed on where something expanded to nothing: the CLI says which, instead of checking less.
add_text() {
  local expanded
  expanded="$(expand "$2" "$1")" || fail "$1: circleci env subst cannot expand it"
  arguments+=("$(option "$1")=$expanded")
  if [[ "$1" == CHECK && "$expanded" != off || "$1" == VULNERABILITY_POLICY ]]; then has_verdict=true; fi
}

add_list() {
  local line expanded part
  while read -r line || [[ -n "$line" ]]; do
    line="${line%$'\r'}"
    if [[ -z "$line" ]]; then continue; fi
    expanded="$(expand "$line" "$1")" || fail "$1: circleci env subst cannot expand it"
    # A variable may hold several lines.
    if [[ -z "$expanded" ]]; then arguments+=("$(option "$1")="); fi
    while read -r part || [[ -n "$part" ]]; do
      part="${part%$'\r'}"
      if [[ -n "$part" ]]; then arguments+=("$(option "$1")=$part"); fi
    done < <(printf '%s' "$expanded")
  done < <(printf '%s' "$2")
}

add_flag() {
  case "$2" in
    1 | true) arguments+=("$(option "$1")") ;;
    0 | false) ;;
    *) fail "$1: expected true or false" ;;
  esac
}

# The name of a variable, never its value. One that is named by default may be unset; one that the user named may not.
add_variable() {
  if [[ "$2" == "BINAUTHZ_${1%_ENV}" && -z "${!2:-}" ]]; then return; fi
  arguments+=("$(option "$1")=$2")
}

# Taken as it is written, because the steps that store results name it too.
results="${BINAUTHZ_PARAM_RESULTS_DIR:-binauthz-results}"
unset BINAUTHZ_PARAM_RESULTS_DIR

for variable in "${!BINAUTHZ_PARAM_@}"; do
  name="${variable#BINAUTHZ_PARAM_}"
  value="${!variable}"
  if [[ -z "$value" ]]; then continue; fi
  case "$name" in
    IMAGES | ATTESTORS | KMS_KEY_VERSIONS | KMS_KEYS | MANIFESTS | IMAGE_LISTS | REPORTS) add_list "${name%S}" "$value" ;;
    FINDINGS | FAIL_ON) add_list "$name" "$value" ;;
    PLATFORM_POLICIES) add_list PLATFORM_POLICY "$value" ;;
    NO_WAIT | DRY_RUN | STRICT) add_flag "$name" "$value" ;;
    *_ENV) add_variable "$name" "$value" ;;
    *) add_text "$name" "$value" ;;
  esac
done

command -v binauthz >/dev/null || fail 'binauthz is not on PATH' 'run the command install of this orb first'

# A second run in the same job keeps the results of the first. What lay there before the job, perhaps in the repository,
# is no result: it goes.
for folder in "$results" "$results/junit"; do
  if [[ -L "$folder" ]]; then fail "$folder is a symbolic link" 'take it out of the repository: results are written there'; fi
done
mkdir -p -- "$results/junit"
counter="BINAUTHZ_RUNS_$BINAUTHZ_VERB"
runs="${!counter:-0}"
if [[ ! "$runs" =~ ^[0-9]{1,6}$ ]]; then runs=0; fi
runs=$((10#$runs + 1))
base="$BINAUTHZ_VERB"
if ((runs > 1)); then base="$BINAUTHZ_VERB-$runs"; fi
rm -f -- "$results/$base.json" "$results/$base.sarif" "$results/$base.md" "$results/junit/$base.xml"
if [[ -n "${BASH_ENV:-}" ]]; then printf 'export %s=%d\n' "$counter" "$runs" >>"$BASH_ENV"; fi
report="$results/$base.json"

if [[ "$has_verdict" == true ]]; then
  arguments+=(
    "--report=sarif=$results/$base.sarif"
    "--report=markdown=$results/$base.md"
    "--report=junit=$results/junit/$base.xml"
  )
elif [[ "$BINAUTHZ_VERB" == audit ]]; then
  arguments+=("--report=sarif=$results/$base.sarif" "--report=markdown=$results/$base.md")
fi

status=0
if [[ "$BINAUTHZ_VERB" == check || "$BINAUTHZ_VERB" == audit ]]; then
  # Its JSON is a report as well, so the log can have the text.
  binauthz "${arguments[@]}" --output=text "--report=json=$report" </dev/null || status=$?
else
  # What it does is told on standard error.
  binauthz "${arguments[@]}" --output=json >"$report" </dev/null || status=$?
fi
if [[ -s "$report" ]]; then printf 'The result is in %s.\n' "$report"; else rm -f -- "$report"; fi

# The first image of a successful attest, for the steps that follow.
if [[ "$status" -eq 0 && "$BINAUTHZ_VERB" == attest && -n "${BASH_ENV:-}" ]]; then
  first="$(node -e 'const { images } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
    process.stdout.write(images[0].digest + " " + images[0].image);' -- "$report")"
  digest="${first%% *}"
  image="${first#* }"
  [[ "$digest" =~ ^sha256:[0-9a-f]{64}$ ]] || fail "$report: the first image has no digest that can be handed on"
  [[ "$image" =~ ^[]A-Za-z0-9._:/[-]+@sha256:[0-9a-f]{64}$ ]] || fail "$report: the first image has no name that can be handed on"
  if [[ "$report" != /* ]]; then report="$PWD/$report"; fi
  printf 'export BINAUTHZ_DIGEST=%q\nexport BINAUTHZ_IMAGE=%q\nexport BINAUTHZ_REPORT=%q\n' "$digest" "$image" "$report" >>"$BASH_ENV"
  printf 'The next steps have BINAUTHZ_DIGEST=%s, BINAUTHZ_IMAGE and BINAUTHZ_REPORT.\n' "$digest"
fi
exit "$status"
