// SPDX-License-Identifier: Apache-2.0
// The texts of Binary Authorization, as patterns that JavaScript and RE2, which Cloud Logging searches with, read alike.
// They are no API and have changed: a pattern holds fragments, but at the place where only Google can have put them.

/** The webhook that enforces on GKE, by the name that Kubernetes' audit annotations call it. */
export const GKE_WEBHOOK = 'imagepolicywebhook.image-policy.k8s.io';
/** The webhook that enforces on Distributed Cloud and on attached clusters. */
export const FLEET_WEBHOOK = 'binaryauthorization.googleapis.com';

/** What Kubernetes puts before a refusal's text, with a name that it quotes. */
const PREFACE = String.raw`^(?:pods? "?[^"\s]*"? is forbidden: )?`;
const WEBHOOKS = [GKE_WEBHOOK, FLEET_WEBHOOK].map((name) => name.replaceAll('.', String.raw`\.`)).join('|');

/** The beginning of a denial: another webhook may quote it further on, and images may have any name. */
export const OUR_DENIAL =
  `${PREFACE}(?:admission webhook "(?:${WEBHOOKS})" denied the request` +
  String.raw`|image policy webhook backend denied|Image \S+ denied by (?:Binary Authorization|attestor projects/|projects/))`;

/** The beginning of any webhook's refusal. */
export const SOME_WEBHOOK = `${PREFACE}admission webhook "`;

/** Cloud Run's word, in any case, and no part of a name such as `breakglass-demo`, `repo/breakglass` or `app:breakglass`. */
export const BREAK_GLASS_WORD = String.raw`(?:^|[^\w./:@'"-])break-?glass(?:[^\w./@'"-]|\.\s|\.?$)`;
/** The same of a dry run. Names hold no spaces. */
export const DRY_RUN_WORDS = String.raw`(?:^|[^\w-])dry run(?:[^\w-]|$)`;
