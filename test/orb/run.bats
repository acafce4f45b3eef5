#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run.sh with a binauthz that keeps its arguments.
bats_require_minimum_version 1.5.0

DIGEST="sha256:$(printf 'a%.0s' {1..64})"

setup() {
  script="$BATS_TEST_DIRNAME/../../orb/scripts/run.sh"
  cd "$BATS_TEST_TMPDIR"
  mkdir bin project
  export PATH="$BATS_TEST_TMPDIR/bin:$PATH" BASH_ENV="$BATS_TEST_TMPDIR/bash_env" HOLD="$BATS_TEST_TMPDIR/arguments"
  export BINAUTHZ_VERB=check
  program binauthz 'printf "[%s]\n" "$@" >"$HOLD"; printf "%s" "${RESULT:-}"; printf "told\n" >&2; exit "${STATUS:-0}"'
  program circleci '[ "$*" = "env subst" ] || exit 64; text="$(cat; echo x)"; text="${text%x}"
    text="${text//\$TAG/${TAG:-}}"; printf "%s" "${text//\$BOTH/${BOTH:-}}"'
  cd project
}

program() {
  printf '#!/bin/bash\n%s\n' "$2" >"$BATS_TEST_TMPDIR/bin/$1"
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

has() { grep -Fxq -- "[$1]" "$HOLD" || { cat "$HOLD"; return 1; }; }
lacks() { if grep -Fq -- "$1" "$HOLD"; then cat "$HOLD"; return 1; fi; }

@test "a parameter becomes the option of its name, the verb comes first" {
  BINAUTHZ_PARAM_PROJECT=shop BINAUTHZ_PARAM_SERVICE_ACCOUNT=runner run -0 bash "$script"
  has --project=shop
  has --service-account=runner
  [ "$(head -n 1 "$HOLD")" = '[check]' ]
}

@test "a list becomes one option per line, without blank lines, blanks and carriage returns around them" {
  BINAUTHZ_PARAM_IMAGES=$'\n  h.example/a:1 \r\n\nh.example/b:2\n' BINAUTHZ_PARAM_PLATFORM_POLICIES=$'p1\np2' run -0 bash "$script"
  has --image=h.example/a:1
  has --image=h.example/b:2
  has --platform-policy=p1
  has --platform-policy=p2
  [ "$(grep -c '^\[--image=' "$HOLD")" -eq 2 ]
}

@test "every plural has its singular" {
  export BINAUTHZ_PARAM_ATTESTORS=v BINAUTHZ_PARAM_KMS_KEYS=v BINAUTHZ_PARAM_KMS_KEY_VERSIONS=v
  export BINAUTHZ_PARAM_MANIFESTS=v BINAUTHZ_PARAM_IMAGE_LISTS=v BINAUTHZ_PARAM_REPORTS=json=v BINAUTHZ_PARAM_FINDINGS=v
  run -0 bash "$script"
  for option in attestor kms-key kms-key-version manifest image-list findings; do has "--$option=v"; done
  has --report=json=v
}

@test "an audit has its kinds of events one by one, its text in the log, and no JUnit" {
  BINAUTHZ_VERB=audit BINAUTHZ_PARAM_FAIL_ON=$'break-glass\nfail-open' run -0 bash "$script"
  has --fail-on=break-glass
  has --fail-on=fail-open
  has --output=text
  has --report=sarif=binauthz-results/audit.sarif
  lacks junit=
}

@test "booleans arrive as 1 and 0 or as true and false" {
  BINAUTHZ_PARAM_STRICT=1 BINAUTHZ_PARAM_NO_WAIT=0 run -0 bash "$script"
  has --strict
  lacks --no-wait
  BINAUTHZ_PARAM_STRICT=false BINAUTHZ_PARAM_NO_WAIT=true run -0 bash "$script"
  has --no-wait
  lacks --strict
}

@test "a boolean that is neither is refused and binauthz does not run" {
  BINAUTHZ_PARAM_STRICT=yes run -2 bash "$script"
  [[ "$output" == *'STRICT: expected true or false'* ]]
  [ ! -e "$HOLD" ]
}

@test "what is empty is left out" {
  BINAUTHZ_PARAM_CLUSTER='' BINAUTHZ_PARAM_IMAGES='' BINAUTHZ_PARAM_STRICT='' BINAUTHZ_PARAM_ACCESS_TOKEN_ENV='' run -0 bash "$script"
  lacks --cluster
  lacks --image
  lacks --strict
  lacks --access-token
}

@test "a secret is passed on by its variable's name, set or not" {
  SECRET='top secret' BINAUTHZ_PARAM_PGP_PRIVATE_KEY_ENV=SECRET BINAUTHZ_PARAM_PGP_PASSPHRASE_ENV=UNSET_ONE run -0 bash "$script"
  has --pgp-private-key-env=SECRET
  has --pgp-passphrase-env=UNSET_ONE
  lacks 'top secret'
}

@test "a variable that is named by default counts only where it is set" {
  export BINAUTHZ_PARAM_PGP_PRIVATE_KEY_ENV=BINAUTHZ_PGP_PRIVATE_KEY BINAUTHZ_PARAM_PGP_PASSPHRASE_ENV=BINAUTHZ_PGP_PASSPHRASE
  BINAUTHZ_PGP_PRIVATE_KEY=x run -0 bash "$script"
  has --pgp-private-key-env=BINAUTHZ_PGP_PRIVATE_KEY
  lacks --pgp-passphrase
}

@test "the name of a variable is never expanded or run" {
  BINAUTHZ_PARAM_PGP_PRIVATE_KEY_ENV='a[$(touch planted)]' run -0 bash "$script"
  has '--pgp-private-key-env=a[$(touch planted)]'
  [ ! -e planted ]
}

@test "shell text stays text" {
  hostile="\$(touch planted) \`touch planted\` ; touch planted & \"x\" 'y' \\ * ~ -rf"
  BINAUTHZ_PARAM_NAMESPACE="$hostile" BINAUTHZ_PARAM_IMAGES="$hostile"$'\n--help\n-' run -0 bash "$script"
  has "--namespace=$hostile"
  has "--image=$hostile"
  has --image=--help
  has --image=-
  [ ! -e planted ]
}

@test "a line break in a plain text stays in it" {
  BINAUTHZ_PARAM_NAMESPACE=$'one\ntwo' run -0 bash "$script"
  [[ "$(cat "$HOLD")" == *$'[--namespace=one\ntwo]'* ]]
}

@test "variables are expanded, and a variable may hold several lines" {
  TAG='1 $(x)' BOTH=$'h.example/b\nh.example/c' BINAUTHZ_PARAM_IMAGES=$'h.example/a:$TAG\n$BOTH' run -0 bash "$script"
  has '--image=h.example/a:1 $(x)'
  has --image=h.example/b
  has --image=h.example/c
}

@test "what expands to nothing is left for binauthz to refuse" {
  BINAUTHZ_PARAM_IMAGES=$'h.example/a\n$TAG' BINAUTHZ_PARAM_CLUSTER='$TAG' run -0 bash "$script"
  has --image=
  has --cluster=
}

@test "an expansion that fails ends the step" {
  program circleci 'echo "closing brace expected" >&2; exit 1'
  BINAUTHZ_PARAM_CLUSTER='${TAG' run -2 bash "$script"
  [[ "$output" == *'CLUSTER: circleci env subst cannot expand it'* ]]
  [ ! -e "$HOLD" ]
}

@test "without the circleci program texts stay as they are, with a warning" {
  rm "$BATS_TEST_TMPDIR/bin/circleci"
  BINAUTHZ_PARAM_CLUSTER='$TAG' run -0 bash "$script"
  has '--cluster=$TAG'
  [[ "$output" == *'warning: CLUSTER: there is no circleci program here'* ]]
}

@test "check prints text and keeps every kind of report" {
  RESULT=verdict run -0 bash "$script"
  [[ "$output" == *verdict* ]]
  [[ "$output" == *told* ]]
  has --output=text
  has --report=json=binauthz-results/check.json
  has --report=sarif=binauthz-results/check.sarif
  has --report=markdown=binauthz-results/check.md
  has --report=junit=binauthz-results/junit/check.xml
}

@test "attest keeps its JSON, and asks for reports only with a check" {
  BINAUTHZ_VERB=attest RESULT='{"images":[]}' STATUS=5 BINAUTHZ_PARAM_CHECK=off run -5 bash "$script"
  [ "$(cat binauthz-results/attest.json)" = '{"images":[]}' ]
  has --output=json
  lacks --report
  BINAUTHZ_VERB=attest STATUS=5 BINAUTHZ_PARAM_CHECK=warn run -5 bash "$script"
  has --report=junit=binauthz-results/junit/attest-2.xml
}

@test "a second run in the job does not write over the first" {
  for run in check check-2 check-3; do
    run -0 bash "$script"
    has "--report=json=binauthz-results/$run.json"
    has "--report=junit=binauthz-results/junit/$run.xml"
  done
}

@test "results that lay there before the job are replaced, and links are not followed" {
  mkdir -p binauthz-results/junit
  echo planted | tee binauthz-results/attest.json binauthz-results/check.sarif >outside
  ln -s ../outside binauthz-results/check.json
  run -0 bash "$script"
  [ ! -e binauthz-results/check.json ]
  [ ! -e binauthz-results/check.sarif ]
  BINAUTHZ_VERB=attest RESULT='{}' STATUS=3 run -3 bash "$script"
  [ "$(cat binauthz-results/attest.json) $(cat outside)" = '{} planted' ]
}

@test "a counter that is no number counts from the start, and is not run" {
  BINAUTHZ_RUNS_check='a[$(touch planted)]' run -0 bash "$script"
  has --report=json=binauthz-results/check.json
  rm "$BASH_ENV"
  BINAUTHZ_RUNS_check=08 run -0 bash "$script"
  has --report=json=binauthz-results/check-9.json
  [ ! -e planted ]
}

@test "a verb that is none is refused" {
  BINAUTHZ_VERB='a[$(touch planted)]' run -2 bash "$script"
  BINAUTHZ_VERB='' run -2 bash "$script"
  [ ! -e planted ]
}

@test "another results folder, with a blank in its name" {
  BINAUTHZ_PARAM_RESULTS_DIR='my results' run -0 bash "$script"
  has '--report=json=my results/check.json'
  lacks --results-dir
}

@test "results are not written through a symbolic link" {
  ln -s "$BATS_TEST_TMPDIR" binauthz-results
  run -2 bash "$script"
  [[ "$output" == *'is a symbolic link'* ]]
  rm binauthz-results
  mkdir binauthz-results
  ln -s "$BATS_TEST_TMPDIR" binauthz-results/junit
  run -2 bash "$script"
  [ ! -e "$HOLD" ]
}

@test "the exit code is the CLI's" {
  for code in 1 2 3 4 5 130; do STATUS="$code" run "-$code" bash "$script"; done
}

@test "without binauthz it says what to do" {
  rm "$BATS_TEST_TMPDIR/bin/binauthz"
  PATH="$BATS_TEST_TMPDIR/bin:/usr/bin:/bin" run -2 bash "$script"
  [[ "$output" == *'binauthz is not on PATH'*'install'* ]]
}

@test "attest hands on digest, image and report" {
  BINAUTHZ_VERB=attest RESULT="{\"images\":[{\"digest\":\"$DIGEST\",\"image\":\"h.example/a@$DIGEST\"}]}" run -0 bash "$script"
  [ "$(bash -c 'echo "$BINAUTHZ_DIGEST $BINAUTHZ_IMAGE"')" = "$DIGEST h.example/a@$DIGEST" ]
  [ "$(bash -c 'echo "$BINAUTHZ_REPORT"')" = "$PWD/binauthz-results/attest.json" ]
}

@test "check and a failed attest hand on nothing" {
  RESULT='{}' run -0 bash "$script"
  BINAUTHZ_VERB=attest STATUS=8 RESULT="{\"images\":[{\"digest\":\"$DIGEST\",\"image\":\"h.example/a@$DIGEST\"}]}" run -8 bash "$script"
  [ "$(cat "$BASH_ENV")" = $'export BINAUTHZ_RUNS_check=1\nexport BINAUTHZ_RUNS_attest=1' ]
}

@test "a planted digest or image does not reach BASH_ENV" {
  for first in "{\"digest\":\"sha256:\$(id)\",\"image\":\"h.example/a@$DIGEST\"}" \
    "{\"digest\":\"sha256:1\$(touch planted)\",\"image\":\"h.example/a@$DIGEST\"}" \
    "{\"digest\":\"$DIGEST\",\"image\":\"h.example/a;touch planted@$DIGEST\"}" \
    "{\"digest\":\"$DIGEST\\nexport X=1\",\"image\":\"h.example/a@$DIGEST\"}"; do
    BINAUTHZ_VERB=attest RESULT="{\"images\":[$first]}" run -2 bash "$script"
    [[ "$output" == *'can be handed on'* ]]
    [[ "$(cat "$BASH_ENV")" =~ ^(export BINAUTHZ_RUNS_attest=[0-9]$'\n'?)+$ ]]
  done
}

@test "it works where BASH_ENV is not set" {
  unset BASH_ENV
  BINAUTHZ_VERB=attest RESULT='{"images":[]}' run -0 bash "$script"
}
