#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts `binauthz` on PATH: the one that is there already, or the pinned package after its SHA-256 was verified.
set -euo pipefail

fail() {
  printf 'error: %s\n' "$1" >&2
  if [[ $# -gt 1 ]]; then printf '  hint: %s\n' "$2" >&2; fi
  exit 1
}

expand() {
  if [[ "$1" == *'$'* ]] && command -v circleci >/dev/null; then
    printf '%s' "$1" | circleci env subst
  else
    printf '%s' "$1"
  fi
}

# A version that differs may be meant: another one in the image, or a package of one's own.
warn_of_version() {
  if [[ -n "${BINAUTHZ_PARAM_VERSION:-}" && "$version" != "$BINAUTHZ_PARAM_VERSION" ]]; then
    printf 'warning: this orb was made for binauthz %s\n' "$BINAUTHZ_PARAM_VERSION" >&2
  fi
}

case "${BINAUTHZ_PARAM_FORCE_INSTALL:-false}" in
  1 | true) is_forced=true ;;
  0 | false) is_forced=false ;;
  *) fail 'force_install: expected true or false' ;;
esac

if [[ "$is_forced" == false ]] && present="$(command -v binauthz)"; then
  version="$(binauthz --version)" || fail "$present is on PATH and does not run" 'mend it, or set force_install to true'
  printf 'Using binauthz %s, which is on PATH already: %s\n' "$version" "$present"
  warn_of_version
  exit 0
fi

needed='binauthz needs Node.js 20.20 or newer'
executor='use an image such as cimg/node, or the default executor of this orb'
command -v node >/dev/null || fail "there is no node on PATH; $needed" "$executor"
node_version="$(node --version)" || fail "node does not run; $needed" "$executor"
[[ "$node_version" =~ ^v([0-9]+)\.([0-9]+)\. ]] || fail "node tells no version; $needed" "$executor"
if ((BASH_REMATCH[1] < 20 || (BASH_REMATCH[1] == 20 && BASH_REMATCH[2] < 20))); then
  fail "$needed; the one on PATH is $node_version" "$executor"
fi

sha256="$(expand "${BINAUTHZ_PARAM_SHA256:-}")"
if [[ ! "$sha256" =~ ^[0-9a-f]{64}$ || "$sha256" =~ ^0+$ ]]; then
  fail 'this orb has no checksum of a binauthz package: it is not released yet' \
    'give url and sha256 (64 lower-case hexadecimal digits) of a package of yours, or an image with binauthz on PATH'
fi

url="$(expand "${BINAUTHZ_PARAM_URL:-}")"
mirror="$(expand "${BINAUTHZ_PARAM_MIRROR:-}")"
if [[ -n "$mirror" ]]; then
  file="${url%%\?*}"
  url="${mirror%/}/${file##*/}"
fi
wanted='url: expected an https:// URL of the binauthz package'
[[ "$url" =~ ^([a-z]+)://([^/@]*@)?([^/@?#[:space:]\"\\]*/[^?#[:space:]\"\\]*)(\?[^[:space:]\"\\]*)?$ ]] || fail "$wanted"
# Without what may be a login or a signature.
shown="${BASH_REMATCH[1]}://${BASH_REMATCH[3]}"
case "$shown" in
  https://?*/* | file:///* | http://127.0.0.1:*/* | http://localhost:*/*) ;;
  *) fail "$wanted" ;;
esac
[[ -n "${BASH_ENV:-}" ]] || fail 'BASH_ENV is not set, so the next steps cannot be told where binauthz is'

parent="$(expand "${BINAUTHZ_PARAM_INSTALL_DIR:-}")"
parent="${parent/#\~\//${HOME:-}/}"
parent="${parent:-${HOME:-/tmp}/.local/share/binauthz}"
mkdir -p -- "$parent"
parent="$(cd -- "$parent" && pwd)"
folder="$(mktemp -d "$parent/binauthz.XXXXXXXX")"
is_done=false
finish() {
  rm -f -- "$folder/package.tgz"
  if [[ "$is_done" == false ]]; then rm -rf -- "$folder"; fi
}
trap finish EXIT

printf 'Fetching %s\n' "$shown"
# The URL goes through standard input, so it is in no process list.
if command -v curl >/dev/null; then
  printf 'url = "%s"\n' "$url" |
    curl --config - --fail --silent --show-error --location --proto '=https,file,http' --proto-redir '=https' \
      --retry 3 --connect-timeout 30 --max-time 600 --output "$folder/package.tgz" ||
    fail "cannot fetch $shown" 'for a closed network set mirror to the URL of a folder with the very same file'
elif command -v wget >/dev/null; then
  printf '%s\n' "$url" | wget --quiet --tries=3 --timeout=60 --input-file=- --output-document="$folder/package.tgz" ||
    fail "cannot fetch $shown" 'for a closed network set mirror to the URL of a folder with the very same file'
else
  fail 'there is neither curl nor wget on PATH' "$executor"
fi

if command -v sha256sum >/dev/null; then
  found="$(sha256sum "$folder/package.tgz")"
else
  found="$(shasum -a 256 "$folder/package.tgz")"
fi
# GNU's program puts a backslash before the line of a file whose name has one.
found="${found#\\}"
found="${found%% *}"
[[ "$found" == "$sha256" ]] || fail "$shown has the SHA-256 $found, expected $sha256; nothing was installed" \
  'the file is not the one that this orb was released with: do not use it'

tar -xzf "$folder/package.tgz" -C "$folder" --no-same-owner
[[ -f "$folder/package/dist/cli/index.js" ]] || fail "$shown is no binauthz package: it has no package/dist/cli/index.js"
mkdir "$folder/bin"
# shellcheck disable=SC2016 # $0 and $@ are the wrapper's own
printf '#!/bin/sh\nexec node "$(dirname -- "$0")/../package/dist/cli/index.js" "$@"\n' >"$folder/bin/binauthz"
chmod 755 "$folder/bin/binauthz"
version="$("$folder/bin/binauthz" --version)" || fail "the binauthz of $shown does not run"

# shellcheck disable=SC2016 # the PATH of the steps that follow
printf 'export PATH=%q:"$PATH"\n' "$folder/bin" >>"$BASH_ENV"
is_done=true
printf 'Installed binauthz %s in %s (SHA-256 verified).\n' "$version" "$folder"
warn_of_version
