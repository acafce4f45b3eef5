// SPDX-License-Identifier: Apache-2.0
// What the evaluation is given, what it asks for, and what it answers.
import type { ImageUse } from '../deployment/image-use.js';
import type { Place } from '../deployment/place.js';
import type { ClusterRef } from '../deployment/target.js';
import type { Digest } from '../image/digest.js';
import type { AttestorName } from '../names.js';
import type { Policy } from './policy.js';
import type { Reason, Verdict } from './verdict.js';

/**
 * Google's system policy. `off` where the policy does not use it (nothing has to be read then); where it does, `off`
 * counts as unreadable. It may be `read` although the policy does not use it: then it only serves a hint.
 */
export type SystemPolicy =
  | { readonly kind: 'off' }
  | { readonly kind: 'read'; readonly patterns: readonly string[] }
  | { readonly kind: 'unreadable'; readonly why: string };

/** The cluster that was named, and whether it asks the policy. */
export interface ClusterState {
  readonly ref: ClusterRef;
  /** `assumed-enforcing`: it may not be read (403) or its API stays unavailable. `unknown`: its mode is not known here. */
  readonly state: 'enforcing' | 'not-enforcing' | 'assumed-enforcing' | 'not-found' | 'unknown';
  /** Why, as a clause: `its evaluation mode is DISABLED`, `container.clusters.get is not granted`. */
  readonly because: string;
}

/** Everything about the target that is the same for all images of a run. */
export interface PolicyContext {
  readonly policy: Policy;
  readonly system: SystemPolicy;
  /** Absent where no cluster was named. */
  readonly cluster?: ClusterState;
}

/** What a registry says a name is now: its digest, and for an index that of the linux/amd64 image; or why nothing. */
export type Resolution =
  | { readonly digest: Digest; readonly child?: Digest }
  /** `isIndex`: it was read, and it is an index that holds nothing for the platform. */
  | { readonly failed: string; readonly isIndex?: true };

/** An image in its place. `resolved` decides on Cloud Run; on GKE it is optional and serves a hint only. */
export interface PlacedUse {
  readonly use: ImageUse;
  readonly place: Place;
  readonly resolved?: Resolution;
}

/** What is known about one attestor and one digest. With several entries for the same, any verified one suffices. */
export interface Evidence {
  readonly attestor: AttestorName;
  readonly digest: Digest;
  /**
   * `none`: the listing was read and holds none that verifies. `no-answer`: something could not be read.
   * `disagreement`: Google's validation says no to what verifies here. `undecided`: it says neither yes nor no.
   */
  readonly found: 'verified' | 'none' | 'no-answer' | 'disagreement' | 'undecided' | 'attestor-missing' | 'attestor-without-keys';
  /** What was found, or why nothing was, in words for a person. */
  readonly what: string;
  /** The next step, where more is known than "attest it". */
  readonly hint?: string;
}

/** The verdict on one image in one place. */
export interface Evaluation {
  readonly verdict: Verdict;
  /** e.g. `clusterAdmissionRules[us-central1-a.prod]`, `admissionWhitelistPatterns`, `systemPolicy`, `` where none was reached. */
  readonly rule: string;
  readonly reasons: readonly Reason[];
  /** What was taken for granted for this image; assumptionsFor() has those of every run. */
  readonly assumptions: readonly string[];
  /** What somebody should know although it does not change the verdict. */
  readonly warnings: readonly string[];
  /** The text that the platform would print; only for DENIED. */
  readonly denial?: string;
}

/** What has to be looked up before an image can be judged: each of these attestors for each of these digests. */
export interface Needs {
  readonly attestors: readonly AttestorName[];
  /** What is judged: as written on GKE, the linux/amd64 image on Cloud Run. */
  readonly digest: Digest;
  /** The index that was named, where another digest is judged: its evidence explains a denial, and never allows. */
  readonly index?: Digest;
}

/** A verdict, or what is needed for one and how to reach it. */
export type Question =
  | { readonly decided: Evaluation; readonly needs?: undefined }
  | { readonly decided?: undefined; readonly needs: Needs; judge(evidence: readonly Evidence[]): Evaluation };
