#!/usr/bin/env bash
# Starts the emulator and sets up on it, with curl, what a platform team would have: a key, a note, an attestor that trusts
# the key, a grant, a policy, and a pushed image. Leaves the names in $GITHUB_OUTPUT and the emulator's address in $GITHUB_ENV.
set -euo pipefail
cd "$(dirname "$0")/../.."

log=$(mktemp)
node dist/cli/index.js emulator --port 0 --propagation-delay 500ms >"$log" &
pid=$!
until grep -q '^listening on ' "$log"; do sleep 0.1; done
url=$(sed -n 's/^listening on //p' "$log")

post() { curl --fail --silent --show-error --header 'content-type: application/json' --data "$2" "$url$1"; }
member() { node -p 'JSON.parse(require("fs").readFileSync(0, "utf8"))'"$1"; }

project=shop-prod
ring=projects/$project/locations/global/keyRings
key=$ring/ci/cryptoKeys/attest
post "/v1/$ring?keyRingId=ci" '{}' >/dev/null
post "/v1/$ring/ci/cryptoKeys?cryptoKeyId=attest" '{"purpose":"ASYMMETRIC_SIGN","versionTemplate":{"algorithm":"EC_SIGN_P256_SHA256"}}' >/dev/null
pem=$(curl --fail --silent --show-error "$url/v1/$key/cryptoKeyVersions/1/publicKey" | member '.pem')

note=projects/$project/notes/built-by-ci
attestor=projects/$project/attestors/built-by-ci
post "/v1/projects/$project/notes?noteId=built-by-ci" '{"attestation":{"hint":{"humanReadableName":"built by CI"}}}' >/dev/null
body=$(PEM=$pem node -p 'JSON.stringify({ name: process.argv[1], userOwnedGrafeasNote: { noteReference: process.argv[2], publicKeys: [{ id: process.argv[3], pkixPublicKey: { publicKeyPem: process.env.PEM, signatureAlgorithm: "ECDSA_P256_SHA256" } }] } })' \
  "$attestor" "$note" "//cloudkms.googleapis.com/v1/$key/cryptoKeyVersions/1")
agent=$(post "/v1/projects/$project/attestors?attestorId=built-by-ci" "$body" | member '.userOwnedGrafeasNote.delegationServiceAccountEmail')
post "/v1/$note:setIamPolicy" '{"policy":{"bindings":[{"role":"roles/containeranalysis.notes.occurrences.viewer","members":["serviceAccount:'"$agent"'"]}]}}' >/dev/null

policy='{"globalPolicyEvaluationMode":"DISABLE","defaultAdmissionRule":{"evaluationMode":"REQUIRE_ATTESTATION","enforcementMode":"ENFORCED_BLOCK_AND_AUDIT_LOG","requireAttestationsBy":["'"$attestor"'"]}}'
curl --fail --silent --show-error --request PUT --header 'content-type: application/json' --data "$policy" "$url/v1/projects/$project/policy" >/dev/null

# An image as small as they come: a configuration without layers.
config='{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
config_digest=sha256:$(printf %s "$config" | sha256sum | cut -d' ' -f1)
manifest='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"'"$config_digest"'","size":'"${#config}"'},"layers":[]}'
digest=sha256:$(printf %s "$manifest" | sha256sum | cut -d' ' -f1)
registry=(--fail --silent --show-error --header 'x-binauthz-registry: us-docker.pkg.dev')
curl "${registry[@]}" --request POST --header 'content-type: application/octet-stream' --data-raw "$config" "$url/v2/$project/apps/web/blobs/uploads/?digest=$config_digest"
curl "${registry[@]}" --request PUT --header 'content-type: application/vnd.oci.image.manifest.v1+json' --data-raw "$manifest" "$url/v2/$project/apps/web/manifests/1.2.3" >/dev/null

{
  echo "image=us-docker.pkg.dev/$project/apps/web@$digest"
  echo "attestor=$attestor"
  echo "key=$key"
} >>"${GITHUB_OUTPUT:-/dev/stdout}"
{
  echo "BINAUTHZ_EMULATOR_HOST=${url#http://}"
  echo "BINAUTHZ_EMULATOR_PID=$pid"
} >>"${GITHUB_ENV:-/dev/stdout}"
