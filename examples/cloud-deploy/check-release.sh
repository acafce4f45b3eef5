#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A predeploy hook of Cloud Deploy: checks the manifest that was rendered for the target, sidecars and all.
#
#   check-release.sh PROJECT LOCATION.CLUSTER
#
# Cloud Deploy says in CLOUD_DEPLOY_* which release, pipeline, location and target this is about.
set -euo pipefail
project=$1
cluster=$2

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
gcloud deploy releases describe "$CLOUD_DEPLOY_RELEASE" --project "$project" --format json \
  --region "$CLOUD_DEPLOY_LOCATION" --delivery-pipeline "$CLOUD_DEPLOY_DELIVERY_PIPELINE" >"$work/release.json"
manifest=$(node -e '
  const { targetArtifacts } = JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
  const { artifactUri, manifestPath } = targetArtifacts[process.env.CLOUD_DEPLOY_TARGET];
  if (!artifactUri || !manifestPath) throw new Error("the release has no rendered manifest for this target");
  console.log(artifactUri.replace(/\/$/, "") + "/" + manifestPath);
' "$work/release.json")
gcloud storage cp "$manifest" "$work/manifest.yaml"

binauthz check --manifest "$work/manifest.yaml" --project "$project" --cluster "$cluster"
