#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Deploys an image to a Cloud Run service, but only where Binary Authorization would admit it, and has the service ask.
#
#   deploy.sh SERVICE IMAGE PROJECT REGION       deploy.sh web us-docker.pkg.dev/…/web@sha256:… shop-prod europe-west1
#
# Ends with the code of the check (3: denied, 4: undecided, …) and deploys nothing, or with gcloud's.
set -euo pipefail

if [[ $# -ne 4 ]]; then
  printf 'usage: %s SERVICE IMAGE PROJECT REGION\n' "$0" >&2
  exit 2
fi
# Cloud Run resolves a tag when the revision is made: it may then be another image than the one that was checked.
if [[ "$2" != *@sha256:* ]]; then
  printf 'error: expected an image by digest, got %s\n' "$2" >&2
  exit 2
fi

binauthz check "$2" --platform cloud-run --project "$3"
gcloud run deploy "$1" --image "$2" --binary-authorization default --project "$3" --region "$4"
