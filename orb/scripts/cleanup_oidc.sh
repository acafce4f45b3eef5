#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Removes what setup_oidc left behind. Runs whatever became of the steps before, and may run twice.
set -euo pipefail

folder="${BINAUTHZ_OIDC_FOLDER:-}"
if [[ -z "$folder" ]]; then
  printf 'There are no credentials of setup_oidc to remove.\n'
  exit 0
fi
if [[ "$folder" != /*/binauthz-oidc.* ]]; then
  printf 'error: BINAUTHZ_OIDC_FOLDER is not a folder of setup_oidc; nothing was removed\n' >&2
  exit 1
fi

credentials="${BINAUTHZ_OIDC_CREDENTIALS:-$folder/credentials.json}"
rm -f -- "$folder/token" "$credentials"
if [[ -d "$folder" ]]; then rmdir -- "$folder"; fi
if [[ -n "${BASH_ENV:-}" ]]; then
  if [[ "${GOOGLE_APPLICATION_CREDENTIALS:-}" != "$credentials" ]]; then
    printf 'GOOGLE_APPLICATION_CREDENTIALS was changed since and stays.\n'
  elif [[ -n "${BINAUTHZ_OIDC_PREVIOUS:-}" ]]; then
    printf 'export GOOGLE_APPLICATION_CREDENTIALS=%q\n' "$BINAUTHZ_OIDC_PREVIOUS" >>"$BASH_ENV"
  else
    printf 'unset GOOGLE_APPLICATION_CREDENTIALS\n' >>"$BASH_ENV"
  fi
  printf 'unset BINAUTHZ_OIDC_FOLDER BINAUTHZ_OIDC_CREDENTIALS BINAUTHZ_OIDC_PREVIOUS\n' >>"$BASH_ENV"
fi
printf 'Removed the credentials of setup_oidc: %s\n' "$folder"
