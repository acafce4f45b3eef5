#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# install.sh with packages of its own making; nothing is fetched from a network.
bats_require_minimum_version 1.5.0

setup() {
  script="$BATS_TEST_DIRNAME/../../orb/scripts/install.sh"
  cd "$BATS_TEST_TMPDIR"
  mkdir bin home project 'my packages' package package/dist package/dist/cli
  echo 'console.log(process.argv.includes("--version") ? "9.9.9" : process.argv.slice(2).join("|"))' >package/dist/cli/index.js
  tar -czf 'my packages/binauthz.tgz' package
  cp 'my packages/binauthz.tgz' project/plain.tgz
  sum="$(sha256sum project/plain.tgz)"
  for program in bash cat chmod curl dirname gzip mkdir mktemp node rm sh sha256sum tar; do
    ln -s "$(command -v "$program")" "bin/$program"
  done
  PATH="$BATS_TEST_TMPDIR/bin"
  export PATH BASH_ENV="$BATS_TEST_TMPDIR/bash_env" HOME="$BATS_TEST_TMPDIR/home"
  export BINAUTHZ_PARAM_URL="file://$BATS_TEST_TMPDIR/project/plain.tgz" BINAUTHZ_PARAM_SHA256="${sum%% *}"
  cd project
}

# The tools of bats itself are not on the PATH of the script.
teardown() { PATH=/usr/bin:/bin; }

program() {
  rm -f "$BATS_TEST_TMPDIR/bin/$1"
  printf '#!/bin/bash\n%s\n' "$2" >"$BATS_TEST_TMPDIR/bin/$1"
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

nothing_installed() {
  [ ! -e "$BASH_ENV" ]
  [ -z "$(PATH=/usr/bin:/bin find "$HOME" -type f)" ]
}

@test "it installs a package whose hash is right, for the steps that follow" {
  run -0 bash "$script"
  [[ "$output" == *'Installed binauthz 9.9.9 in '*'SHA-256 verified'* ]]
  [ "$(bash -c 'binauthz "a b" "$(echo c)"')" = 'a b|c' ]
  [ -z "$(PATH=/usr/bin:/bin find "$HOME" -name '*.tgz')" ]
}

@test "it uses a binauthz that is there, and says which" {
  program binauthz 'echo 1.2.3'
  BINAUTHZ_PARAM_FORCE_INSTALL=0 BINAUTHZ_PARAM_SHA256='' BINAUTHZ_PARAM_VERSION=1.2.3 run -0 bash "$script"
  [ "$output" = "Using binauthz 1.2.3, which is on PATH already: $BATS_TEST_TMPDIR/bin/binauthz" ]
  nothing_installed
}

@test "it warns where the one that is there is another version" {
  program binauthz 'echo 1.2.3'
  BINAUTHZ_PARAM_VERSION=2.0.0 run -0 bash "$script"
  [[ "$output" == *'warning: this orb was made for binauthz 2.0.0'* ]]
}

@test "it does not trust one that does not run" {
  program binauthz 'exit 1'
  run -1 bash "$script"
  [[ "$output" == *'does not run'* ]]
}

@test "force_install installs nevertheless" {
  program binauthz 'echo 1.2.3'
  for yes in 1 true; do
    BINAUTHZ_PARAM_FORCE_INSTALL="$yes" run -0 bash "$script"
    [ "$(bash -c 'binauthz --version')" = 9.9.9 ]
  done
  BINAUTHZ_PARAM_FORCE_INSTALL=maybe run -1 bash "$script"
}

@test "a wrong hash installs nothing" {
  BINAUTHZ_PARAM_SHA256="$(printf 'b%.0s' {1..64})" run -1 bash "$script"
  [[ "$output" == *"has the SHA-256 ${sum%% *}, expected bbbb"*'nothing was installed'* ]]
  nothing_installed
}

@test "an orb without a hash is not released yet" {
  for hash in '' PLACEHOLDER '<sha256>' "$(printf '0%.0s' {1..64})" "${sum%% *}0" "$(printf 'A%.0s' {1..64})"; do
    BINAUTHZ_PARAM_SHA256="$hash" run -1 bash "$script"
    [[ "$output" == *'it is not released yet'* ]]
    nothing_installed
  done
}

@test "without node it says what is needed" {
  rm "$BATS_TEST_TMPDIR/bin/node"
  run -1 bash "$script"
  [[ "$output" == *'there is no node on PATH; binauthz needs Node.js 20.20 or newer'*cimg/node* ]]
  nothing_installed
}

@test "a node that is too old is named" {
  for version in v20.19.9 v18.20.8 v9.99.0; do
    program node "echo $version"
    run -1 bash "$script"
    [[ "$output" == *"needs Node.js 20.20 or newer; the one on PATH is $version"* ]]
  done
  program node 'echo strange'
  run -1 bash "$script"
  [[ "$output" == *'node tells no version'* ]]
}

@test "a url must be https, or a file" {
  for url in '' http://h.example/a.tgz http://127.0.0.1:1@h.example/a http://x@127.0.0.1:1@h.example/a https:///a ftp://h.example/a.tgz '-o /etc/passwd' $'https://h.example/a\nurl = "b"' 'https://h.example/"a' '<url>'; do
    BINAUTHZ_PARAM_URL="$url" run -1 bash "$script"
    [[ "$output" == *'url: expected an https:// URL'* ]]
  done
  nothing_installed
}

@test "a mirror holds a file of the same name" {
  BINAUTHZ_PARAM_URL='https://h.example/releases/plain.tgz?x=1' BINAUTHZ_PARAM_MIRROR="file://$PWD/" run -0 bash "$script"
  [[ "$output" == *"Fetching file://$PWD/plain.tgz"* ]]
}

@test "a login in the URL is neither shown nor an argument" {
  program curl 'printf "%s\n" "$@" >"$HOME/../curl_arguments"; cat >"$HOME/../curl_input"; exit 22'
  BINAUTHZ_PARAM_URL='https://user:pa55@h.example/a.tgz?signature=s1gn' run -1 bash "$script"
  [[ "$output" == *'cannot fetch https://h.example/a.tgz'* ]]
  [[ "$output$(cat "$HOME/../curl_arguments")" != *pa55* ]]
  [[ "$output$(cat "$HOME/../curl_arguments")" != *s1gn* ]]
  [ "$(cat "$HOME/../curl_input")" = 'url = "https://user:pa55@h.example/a.tgz?signature=s1gn"' ]
  nothing_installed
}

@test "wget will do" {
  rm "$BATS_TEST_TMPDIR/bin/curl"
  program wget 'for word in "$@"; do case "$word" in --output-document=*) cat "$HOME/../project/plain.tgz" >"${word#*=}" ;; esac; done; cat >"$HOME/../wget_input"'
  BINAUTHZ_PARAM_URL=https://h.example/a.tgz run -0 bash "$script"
  [ "$(cat "$HOME/../wget_input")" = https://h.example/a.tgz ]
}

@test "without curl and wget it says so" {
  rm "$BATS_TEST_TMPDIR/bin/curl"
  run -1 bash "$script"
  [[ "$output" == *'neither curl nor wget'* ]]
  nothing_installed
}

@test "shasum will do" {
  rm "$BATS_TEST_TMPDIR/bin/sha256sum"
  program shasum '[ "$1 $2" = "-a 256" ] && exec /usr/bin/sha256sum "$3"'
  run -0 bash "$script"
}

@test "variables in url and hash are expanded" {
  program circleci 'text="$(cat)"; printf "%s" "${text//\$PLACE/$PLACE}"'
  PLACE="$PWD" BINAUTHZ_PARAM_URL='file://$PLACE/plain.tgz' run -0 bash "$script"
}

@test "a folder with blanks and quotes, and one below the home folder" {
  BINAUTHZ_PARAM_INSTALL_DIR="$BATS_TEST_TMPDIR/a 'b' \$(c)" run -0 bash "$script"
  [ "$(bash -c 'binauthz --version')" = 9.9.9 ]
  BINAUTHZ_PARAM_FORCE_INSTALL=1 BINAUTHZ_PARAM_INSTALL_DIR='~/tools' run -0 bash "$script"
  [ -d "$HOME/tools" ]
}

@test "a package that is none installs nothing" {
  PATH="/usr/bin:/bin" tar -czf other.tgz -C "$BATS_TEST_TMPDIR" bin
  other="$(sha256sum other.tgz)"
  BINAUTHZ_PARAM_URL="file://$PWD/other.tgz" BINAUTHZ_PARAM_SHA256="${other%% *}" run -1 bash "$script"
  [[ "$output" == *'is no binauthz package'* ]]
  nothing_installed
}

@test "outside of CircleCI it says what is missing" {
  unset BASH_ENV
  run -1 bash "$script"
  [[ "$output" == *'BASH_ENV is not set'* ]]
}
