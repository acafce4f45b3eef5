#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Application Default Credentials from CircleCI's OIDC token by workload identity federation, without gcloud.
set -euo pipefail

fail() {
  printf 'error: %s\n' "$1" >&2
  if [[ $# -gt 1 ]]; then printf '  hint: %s\n' "$2" >&2; fi
  exit 2
}

# The value of the variable that a parameter names, where it matches; nothing where that variable is unset. Never shown.
value_of() {
  local variable_parameter="BINAUTHZ_PARAM_$1" variable
  variable="${!variable_parameter:-}"
  if [[ -z "$variable" ]]; then return; fi
  [[ "$variable" =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || fail "$1: expected the name of an environment variable"
  if [[ -z "${!variable:-}" ]]; then return; fi
  [[ "${!variable}" =~ $2 ]] || fail "$1: the variable $variable does not hold $3"
  printf '%s' "${!variable}"
}

required() {
  local variable_parameter="BINAUTHZ_PARAM_$1" value
  value="$(value_of "$@")" || exit $?
  [[ -n "$value" ]] || fail "$1: the variable ${!variable_parameter:-(none was named)} is not set or empty" \
    'the contexts of the job must hold it'
  printf '%s' "$value"
}

number="$(required GOOGLE_PROJECT_NUMBER '^[0-9]+$' 'the number of a project (not its id)')"
pool="$(required WORKLOAD_IDENTITY_POOL_ID '^[a-z0-9-]+$' 'the id of a pool, such as circleci')"
provider="$(required WORKLOAD_IDENTITY_POOL_PROVIDER_ID '^[a-z0-9-]+$' 'the id of a provider, such as circleci')"
account="$(value_of SERVICE_ACCOUNT_EMAIL '^[a-zA-Z0-9._-]+@[a-zA-Z0-9.-]+$' 'the e-mail address of a service account')"

token_url="${BINAUTHZ_PARAM_TOKEN_URL:-https://sts.googleapis.com/v1/token}"
# The token is sent there: nothing in clear text over a network.
[[ "$token_url" =~ ^(https://[A-Za-z0-9.-]+|http://127\.0\.0\.1)(:[0-9]+)?/[A-Za-z0-9._/-]*$ ]] ||
  fail 'token_url: expected an https:// URL'

token="${CIRCLE_OIDC_TOKEN_V2:-${CIRCLE_OIDC_TOKEN:-}}"
[[ -n "$token" ]] || fail 'neither CIRCLE_OIDC_TOKEN_V2 nor CIRCLE_OIDC_TOKEN is set' \
  'pull requests from forks get no token; other jobs may need a context'
[[ -n "${BASH_ENV:-}" ]] || fail 'BASH_ENV is not set, so the next steps cannot be told where the credentials are'

# Outside the workspace, so that no image, cache or artifact takes them along.
workspace="$(pwd -P)"
folder=''
for parent in "${TMPDIR:-/tmp}" /tmp "${HOME:-/tmp}"; do
  real="$(cd -- "$parent" && pwd -P)" || continue
  case "${real%/}/" in
    "${workspace%/}"/*) continue ;;
    *[\"\\[:cntrl:]]*) continue ;;
  esac
  folder="$(mktemp -d "${real%/}/binauthz-oidc.XXXXXXXX")" && break
done
[[ -n "$folder" ]] || fail 'there is no folder for credentials outside of the working directory' 'set TMPDIR to one'
is_done=false
finish() {
  if [[ "$is_done" == false ]]; then rm -rf -- "$folder"; fi
}
trap finish EXIT

umask 077
printf '%s' "$token" >"$folder/token"
impersonation=''
if [[ -n "$account" ]]; then
  impersonation="
  \"service_account_impersonation_url\": \"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/$account:generateAccessToken\","
fi
printf '{
  "type": "external_account",
  "audience": "//iam.googleapis.com/projects/%s/locations/global/workloadIdentityPools/%s/providers/%s",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "%s",%s
  "credential_source": { "file": "%s", "format": { "type": "text" } }
}\n' "$number" "$pool" "$provider" "$token_url" "$impersonation" "$folder/token" >"$folder/credentials.json"

# It holds no secret, only where the token is.
credentials="${BINAUTHZ_PARAM_GCP_CRED_CONFIG_FILE_PATH:-}"
credentials="${credentials/#\~\//${HOME:-}/}"
if [[ -n "$credentials" ]]; then
  if [[ "$credentials" != /* ]]; then credentials="$PWD/$credentials"; fi
  mv -f -- "$folder/credentials.json" "$credentials"
else
  credentials="$folder/credentials.json"
fi

# A second setup in the same job takes the place of the first.
previous="${GOOGLE_APPLICATION_CREDENTIALS:-}"
if [[ "${BINAUTHZ_OIDC_FOLDER:-}" == /*/binauthz-oidc.* ]]; then
  if [[ "$previous" == "${BINAUTHZ_OIDC_CREDENTIALS:-}" ]]; then previous="${BINAUTHZ_OIDC_PREVIOUS:-}"; fi
  rm -f -- "$BINAUTHZ_OIDC_FOLDER/token"
  if [[ "${BINAUTHZ_OIDC_CREDENTIALS:-}" != "$credentials" ]]; then rm -f -- "${BINAUTHZ_OIDC_CREDENTIALS:-}"; fi
  rmdir -- "$BINAUTHZ_OIDC_FOLDER" 2>/dev/null || true
fi
if [[ -n "$previous" ]]; then printf 'GOOGLE_APPLICATION_CREDENTIALS was set already: it is replaced until cleanup_oidc.\n'; fi
printf 'export %s=%q\n' BINAUTHZ_OIDC_FOLDER "$folder" BINAUTHZ_OIDC_CREDENTIALS "$credentials" \
  BINAUTHZ_OIDC_PREVIOUS "$previous" GOOGLE_APPLICATION_CREDENTIALS "$credentials" >>"$BASH_ENV"
is_done=true
printf 'The next steps act as %s.\n' "${account:-the identity that the pool gives this job}"
printf 'The token is in %s and the credentials file is %s, for this user only; cleanup_oidc removes both.\n' "$folder" "$credentials"
printf 'The token is good for an hour at most.\n'
