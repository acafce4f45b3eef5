// SPDX-License-Identifier: Apache-2.0
// What a check from CI cannot know. Stated in every report; never changes a verdict (facts 13).
import type { Platform } from '../deployment/target.js';

/** What of the standing assumptions applies to a run. */
export interface CheckedThings {
  /** A required attestor was asked for an image. */
  readonly attestors: boolean;
  /** The policy uses Google's system policy. */
  readonly systemPolicy: boolean;
  /** An image of an ephemeral container was judged. */
  readonly ephemeral: boolean;
}

interface Assumption {
  readonly platforms: readonly Platform[];
  readonly when?: keyof CheckedThings;
  readonly text: string;
}

const GKE: readonly Platform[] = ['gke'];
const ALL: readonly Platform[] = ['gke', 'cloud-run'];

/** Every standing assumption, in the order in which reports print them. */
const ASSUMPTIONS: readonly Assumption[] = [
  {
    platforms: GKE,
    text: 'no mutating webhook changes the images, labels or service account of a Pod before Binary Authorization sees it',
  },
  { platforms: ALL, when: 'attestors', text: 'each attestor’s own account may read its note' },
  { platforms: ALL, text: 'the policy and the attestations that were read have reached the enforcer; a fresh change can take minutes' },
  {
    platforms: GKE,
    when: 'systemPolicy',
    text: 'the system policy that was read is the one that the cluster’s region uses; Google rolls it out region by region',
  },
  { platforms: GKE, text: 'the enforcer is reached: GKE admits Pods, and logs it, while Binary Authorization is unavailable' },
  { platforms: ALL, text: 'nobody adds break-glass after this check' },
  {
    platforms: GKE,
    when: 'ephemeral',
    text: 'ephemeral containers are judged at admission like any other; Google’s documents say so only for continuous validation',
  },
  {
    platforms: ['cloud-run'],
    when: 'systemPolicy',
    text: 'the system policy does not apply to Cloud Run; Google’s documents describe it for GKE and Distributed Cloud only',
  },
  {
    platforms: ['cloud-run'],
    text: 'an image index is judged by its linux/amd64 image, as deployments show; Google’s documents do not say so',
  },
];

/** The standing assumptions for images on this platform. */
export function assumptionsFor(platform: Platform, things: CheckedThings): readonly string[] {
  return ASSUMPTIONS.filter(({ platforms, when }) => platforms.includes(platform) && (when === undefined || things[when])).map(
    ({ text }) => text,
  );
}
