#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Applies a kustomization to a GKE cluster, but only where Binary Authorization would admit every image of it.
#
#   deploy.sh FOLDER PROJECT LOCATION.CLUSTER        deploy.sh k8s shop-prod us-central1-a.prod
#
# Ends with the code of the check (3: denied, 4: undecided, …) and applies nothing, or with kubectl's.
set -euo pipefail

if [[ $# -ne 3 ]]; then
  printf 'usage: %s FOLDER PROJECT LOCATION.CLUSTER\n' "$0" >&2
  exit 2
fi

# Rendered once: what is checked is what is applied.
rendered=$(mktemp)
trap 'rm -f -- "$rendered"' EXIT
kubectl kustomize "$1" >"$rendered"

binauthz check --manifest "$rendered" --project "$2" --cluster "$3" --strict
kubectl apply --filename "$rendered"
