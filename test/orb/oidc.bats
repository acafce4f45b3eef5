#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# setup_oidc.sh and cleanup_oidc.sh.
bats_require_minimum_version 1.5.0

V1=v1head.v1body.v1tail
V2=v2head.v2body.v2tail

setup() {
  scripts="$BATS_TEST_DIRNAME/../../orb/scripts"
  mkdir "$BATS_TEST_TMPDIR/tmp" "$BATS_TEST_TMPDIR/home" "$BATS_TEST_TMPDIR/project"
  cd "$BATS_TEST_TMPDIR/project"
  export BASH_ENV="$BATS_TEST_TMPDIR/bash_env" TMPDIR="$BATS_TEST_TMPDIR/tmp" HOME="$BATS_TEST_TMPDIR/home"
  export BINAUTHZ_PARAM_GOOGLE_PROJECT_NUMBER=NUMBER BINAUTHZ_PARAM_WORKLOAD_IDENTITY_POOL_ID=POOL
  export BINAUTHZ_PARAM_WORKLOAD_IDENTITY_POOL_PROVIDER_ID=PROVIDER BINAUTHZ_PARAM_SERVICE_ACCOUNT_EMAIL=ACCOUNT
  export NUMBER=123456 POOL=circleci PROVIDER=circleci-org CIRCLE_OIDC_TOKEN="$V1" CIRCLE_OIDC_TOKEN_V2="$V2"
  unset GOOGLE_APPLICATION_CREDENTIALS
}

setup_oidc() { run "$1" bash "$scripts/setup_oidc.sh"; }
cleanup() { run "$1" bash "$scripts/cleanup_oidc.sh"; }
variable() { bash -c 'printf "%s" "${!1-unset}"' bash "$1"; }
field() { node -p "JSON.parse(fs.readFileSync(process.argv[1], 'utf8')).$1" "$(variable GOOGLE_APPLICATION_CREDENTIALS)"; }
nothing_left() { [ -z "$(ls -A "$TMPDIR" "$HOME" | grep binauthz)" ] && [ ! -e "$BASH_ENV" ]; }

@test "it writes credentials for the federated identity" {
  setup_oidc -0
  [ "$(field type)" = external_account ]
  [ "$(field audience)" = //iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/circleci/providers/circleci-org ]
  [ "$(field subject_token_type)" = urn:ietf:params:oauth:token-type:jwt ]
  [ "$(field token_url)" = https://sts.googleapis.com/v1/token ]
  [ "$(field service_account_impersonation_url)" = undefined ]
  [ "$(field credential_source.format.type)" = text ]
  [ "$(cat "$(field credential_source.file)")" = "$V2" ]
}

@test "it writes credentials for a service account" {
  ACCOUNT=ci@shop.iam.gserviceaccount.com setup_oidc -0
  [ "$(field service_account_impersonation_url)" = https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ci@shop.iam.gserviceaccount.com:generateAccessToken ]
  [[ "$output" == *'act as ci@shop.iam.gserviceaccount.com'* ]]
}

@test "the first version of the token will do" {
  unset CIRCLE_OIDC_TOKEN_V2
  setup_oidc -0
  [ "$(cat "$(field credential_source.file)")" = "$V1" ]
}

@test "files are for this user only, outside of the working directory, and it says so" {
  setup_oidc -0
  folder="$(variable BINAUTHZ_OIDC_FOLDER)"
  [ "$(stat -c %a "$folder")" = 700 ]
  [ "$(stat -c %a "$folder/token" "$folder/credentials.json" | sort -u)" = 600 ]
  [[ "$folder" == "$TMPDIR"/* ]]
  [ -z "$(ls -A)" ]
  [[ "$output" == *"$folder"*cleanup_oidc* ]]
}

@test "a TMPDIR inside of the working directory is not used" {
  mkdir inside
  TMPDIR="$PWD/inside" setup_oidc -0
  folder="$(variable BINAUTHZ_OIDC_FOLDER)"
  [ -z "$(ls -A inside)" ]
  [[ "$folder" != "$PWD"/* ]]
  cleanup -0
  [ ! -e "$folder" ]
}

@test "the token is in no output, argument or exported variable" {
  mkdir "$BATS_TEST_TMPDIR/bin"
  for program in mktemp rm rmdir mv; do
    printf '#!/bin/sh\nprintf "%%s\\n" "$@" >>%s\nexec %s "$@"\n' "$BATS_TEST_TMPDIR/calls" "$(command -v "$program")" >"$BATS_TEST_TMPDIR/bin/$program"
    chmod +x "$BATS_TEST_TMPDIR/bin/$program"
  done
  PATH="$BATS_TEST_TMPDIR/bin:$PATH" run -0 bash "$scripts/setup_oidc.sh"
  first="$output"
  [[ "$first$(cat "$BASH_ENV" "$BATS_TEST_TMPDIR/calls")" != *v2body* ]]
  [[ "$(cat "$(variable GOOGLE_APPLICATION_CREDENTIALS)")" != *v2body* ]]
  PATH="$BATS_TEST_TMPDIR/bin:$PATH" run -0 bash "$scripts/cleanup_oidc.sh"
  [[ "$output$(cat "$BASH_ENV" "$BATS_TEST_TMPDIR/calls")" != *v2body* ]]
}

@test "without a token it says why" {
  unset CIRCLE_OIDC_TOKEN CIRCLE_OIDC_TOKEN_V2
  setup_oidc -2
  [[ "$output" == *'neither CIRCLE_OIDC_TOKEN_V2 nor CIRCLE_OIDC_TOKEN is set'*forks* ]]
  nothing_left
}

@test "a variable that is not set is named" {
  unset POOL
  setup_oidc -2
  [[ "$output" == *'WORKLOAD_IDENTITY_POOL_ID: the variable POOL is not set or empty'* ]]
  nothing_left
}

@test "values that are something else are refused and not shown" {
  NUMBER=my-project-id setup_oidc -2
  [[ "$output" == *'NUMBER does not hold the number of a project (not its id)'* ]]
  [[ "$output" != *my-project-id* ]]
  POOL='a/b' setup_oidc -2
  PROVIDER=$'a"\n' setup_oidc -2
  ACCOUNT='x@y/../z' setup_oidc -2
  nothing_left
}

@test "a variable's name is never run" {
  BINAUTHZ_PARAM_WORKLOAD_IDENTITY_POOL_ID='a[$(touch planted)]' setup_oidc -2
  [[ "$output" == *'expected the name of an environment variable'* ]]
  [ ! -e planted ]
}

@test "the token goes to https or to this machine" {
  for url in http://sts.example/ ftp://h.example/ 'https://h.example/"' https://user@h.example/ http://127.0.0.1.example/ ; do
    BINAUTHZ_PARAM_TOKEN_URL="$url" setup_oidc -2
    [[ "$output" == *'token_url: expected an https:// URL'* ]]
  done
  nothing_left
  BINAUTHZ_PARAM_TOKEN_URL=http://127.0.0.1:1234/v1/token setup_oidc -0
  [ "$(field token_url)" = http://127.0.0.1:1234/v1/token ]
}

@test "the credentials file may lie elsewhere" {
  BINAUTHZ_PARAM_GCP_CRED_CONFIG_FILE_PATH='~/my creds.json' setup_oidc -0
  [ "$(variable GOOGLE_APPLICATION_CREDENTIALS)" = "$HOME/my creds.json" ]
  [ "$(stat -c %a "$HOME/my creds.json")" = 600 ]
  cleanup -0
  [ ! -e "$HOME/my creds.json" ]
  [ "$(variable GOOGLE_APPLICATION_CREDENTIALS)" = unset ]
}

@test "cleanup removes everything, and may run twice" {
  setup_oidc -0
  folder="$(variable BINAUTHZ_OIDC_FOLDER)"
  cleanup -0
  [ ! -e "$folder" ]
  for name in GOOGLE_APPLICATION_CREDENTIALS BINAUTHZ_OIDC_FOLDER BINAUTHZ_OIDC_CREDENTIALS BINAUTHZ_OIDC_PREVIOUS; do
    [ "$(variable "$name")" = unset ]
  done
  cleanup -0
  [[ "$output" == *'no credentials of setup_oidc'* ]]
}

@test "cleanup without a setup, and without files, is fine" {
  cleanup -0
  setup_oidc -0
  rm -r "$(variable BINAUTHZ_OIDC_FOLDER)"
  cleanup -0
}

@test "cleanup removes nothing that setup did not make" {
  mkdir precious
  echo >precious/token
  BINAUTHZ_OIDC_FOLDER="$PWD/precious" cleanup -1
  [ -e precious/token ]
}

@test "credentials that were set before come back" {
  GOOGLE_APPLICATION_CREDENTIALS='/home/gcp cli/creds.json' setup_oidc -0
  [[ "$output" == *'was set already'* ]]
  cleanup -0
  [ "$(variable GOOGLE_APPLICATION_CREDENTIALS)" = '/home/gcp cli/creds.json' ]
}

@test "credentials that were set since stay" {
  setup_oidc -0
  echo 'export GOOGLE_APPLICATION_CREDENTIALS=/later.json' >>"$BASH_ENV"
  cleanup -0
  [ "$(variable GOOGLE_APPLICATION_CREDENTIALS)" = /later.json ]
}

@test "a second setup takes the place of the first" {
  GOOGLE_APPLICATION_CREDENTIALS=/before.json setup_oidc -0
  first="$(variable BINAUTHZ_OIDC_FOLDER)"
  setup_oidc -0
  [ ! -e "$first" ]
  [ "$(cat "$(field credential_source.file)")" = "$V2" ]
  cleanup -0
  [ "$(variable GOOGLE_APPLICATION_CREDENTIALS)" = /before.json ]
  [ -z "$(ls -A "$TMPDIR" | grep oidc)" ]
}

@test "outside of CircleCI it says what is missing, and leaves nothing" {
  unset BASH_ENV
  run -2 bash "$scripts/setup_oidc.sh"
  [[ "$output" == *'BASH_ENV is not set'* ]]
  [ -z "$(ls -A "$TMPDIR" | grep oidc)" ]
}
