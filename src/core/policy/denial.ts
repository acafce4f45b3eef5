// SPDX-License-Identifier: Apache-2.0
// Google's words for a denial (facts 10), so that whoever searches for one finds it. They are no API: match fragments only.
import type { Platform } from '../deployment/target.js';
import type { RuleMapName } from './policy.js';

/** What an attestor says about an image without a good attestation. */
export const NO_ATTESTATIONS = 'No attestations found that were valid and signed by a key trusted by the attestor';
/** What an attestor says about a tag, or about a digest that is none. */
export const NOT_A_DIGEST = 'Expected digest with sha256 scheme, but got tag or malformed digest';

/** A denial: by these attestors for these reasons, or by the rule itself. */
export interface Denial {
  readonly platform: Platform;
  /** As the platform names it: as written on GKE, by its digest on Cloud Run. */
  readonly image: string;
  /** Undefined for the default rule. */
  readonly map: RuleMapName | undefined;
  readonly key: string;
  /** Empty where the rule denies every image. */
  readonly attestors: readonly { readonly attestor: string; readonly reason: string }[];
}

/** The text that the platform would print. */
export function denialText(denial: Denial): string {
  const { image, attestors } = denial;
  const rule = `Image ${image} denied by Binary Authorization ${ruleText(denial)}.`;
  const causes = attestors.map(({ attestor, reason }) => `Image ${image} denied by attestor ${attestor}: ${reason}`);
  const text = causes.length > 0 ? causes.join('. ') : 'Denied by always_deny admission rule';
  if (denial.platform === 'gke') return `admission webhook "imagepolicywebhook.image-policy.k8s.io" denied the request: ${rule} ${text}`;
  const head = `Revision … uses an unauthorized container image. Container image '${image}' is not authorized by policy.`;
  return causes.length > 0 ? `${head} ${text}` : `${head} ${rule} ${text}`;
}

// Only the default and the cluster form are observed; the words for the others are not published and formed likewise.
const RULES: Readonly<Record<RuleMapName, string>> = {
  clusterAdmissionRules: 'cluster admission rule',
  kubernetesNamespaceAdmissionRules: 'kubernetes namespace admission rule',
  kubernetesServiceAccountAdmissionRules: 'kubernetes service account admission rule',
  istioServiceIdentityAdmissionRules: 'istio service identity admission rule',
};

function ruleText({ map, key }: Denial): string {
  return map === undefined ? 'default admission rule' : `${RULES[map]} for ${key}`;
}
