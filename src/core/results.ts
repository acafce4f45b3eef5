// SPDX-License-Identifier: Apache-2.0
// The JSON results of the interface contract. Names here never change; members may be added.
import type { UseSource } from './deployment/image-use.js';
import type { Platform } from './deployment/target.js';
import type { BinauthzError, ErrorCode } from './errors.js';
import type { Reason, Verdict } from './policy/verdict.js';
import type { FindingVerdict, VulnerabilityReason, VulnerabilityVerdict } from './vulnerabilities/evaluate.js';
import type { ScanState, Severity } from './vulnerabilities/finding.js';

/** An error as every result carries it. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly resource?: string;
  readonly hint?: string;
  readonly exitCode: number;
}

/** `binauthz.error/v1`: what exit 2 prints. */
export interface ErrorResult {
  readonly schema: 'binauthz.error/v1';
  readonly errors: readonly ErrorReport[];
}

/** What every result may say besides its own content. */
export interface ResultBase {
  readonly errors?: readonly ErrorReport[];
  readonly warnings?: readonly string[];
  /** Present, and true, only where the emulator answered instead of Google. */
  readonly emulator?: true;
}

/** An image of an attest run. */
export interface AttestedImage {
  /** `registry/repository@sha256:…` */
  readonly image: string;
  readonly digest: string;
  readonly tag?: string;
  readonly mediaType: string;
  readonly children: readonly { readonly digest: string; readonly platform: string }[];
  /** RFC 3339, where Google's registry was asked for it. */
  readonly uploadTime?: string;
}

export type AttestationStatus = 'created' | 'existing' | 'dry-run' | 'posted' | 'failed';

/** An attestation of an attest run. */
export interface AttestationResult {
  readonly image: string;
  readonly attestor: string;
  readonly note: string;
  readonly occurrence?: string;
  readonly publicKeyId: string;
  readonly status: AttestationStatus;
  /** Milliseconds from posting until the enforcer's listing showed it; null where that was not seen. */
  readonly visibleAfterMs?: number | null;
  /** Who said before posting that it verifies: Google's own check, or only the local verifier. */
  readonly validated?: 'google' | 'local';
  readonly error?: ErrorReport;
}

/** `binauthz.attest/v1` */
export interface AttestResult extends ResultBase {
  readonly schema: 'binauthz.attest/v1';
  readonly images: readonly AttestedImage[];
  readonly attestations: readonly AttestationResult[];
  /** What the vulnerability gate said before anything was signed; absent without one. */
  readonly vulnerabilities?: VulnerabilitiesResult;
  readonly check?: CheckResult;
}

/** An attestation in a listing. */
export interface ListedAttestation {
  readonly image: string;
  readonly digest: string;
  readonly attestor: string;
  readonly occurrence: string;
  readonly publicKeyId: string;
  readonly createTime?: string;
  readonly verified: boolean;
  readonly reason?: { readonly code: string; readonly message: string };
  readonly warnings?: readonly string[];
}

/** `binauthz.list/v1` */
export interface ListResult extends ResultBase {
  readonly schema: 'binauthz.list/v1';
  readonly attestations: readonly ListedAttestation[];
}

/** What decided about an image, where it would run. */
export interface CheckedTarget {
  readonly platform: Platform;
  /** `LOCATION.NAME` */
  readonly cluster?: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
}

/** An occurrence that was looked at for an image. */
export interface CheckedOccurrence {
  readonly attestor: string;
  readonly occurrence: string;
  readonly digest: string;
  readonly publicKeyId: string;
  /** RFC 3339, where the service said when it was stored. */
  readonly createTime?: string;
  readonly verified: boolean;
  /** Who said that it verifies: Google's own check as well, or only the local verifier. */
  readonly validated?: 'google' | 'local';
  readonly reason?: { readonly code: string; readonly message: string };
}

/** An image of a check, with its reasons and every place where it was found. */
export interface CheckedImage {
  /** As written. */
  readonly image: string;
  /** What was judged: the digest as written on GKE; on Cloud Run the resolved one, and the platform's child. */
  readonly digest?: string;
  readonly childDigest?: string;
  readonly verdict: Verdict;
  /** e.g. `clusterAdmissionRules[us-central1-a.prod]`, `admissionWhitelistPatterns`, `` where none was reached. */
  readonly rule: string;
  readonly reasons: readonly Reason[];
  /** The text that the platform would print; only for DENIED. */
  readonly denial?: string;
  readonly occurrences: readonly CheckedOccurrence[];
  readonly target: CheckedTarget;
  readonly sources: readonly (UseSource & { readonly namespace: string; readonly serviceAccount: string })[];
}

/** A GKE platform policy's opinion of a workload: advisory, because such policies only monitor. */
export interface PlatformPolicyResult {
  readonly policy: string;
  readonly verdict: 'CONFORMANT' | 'NON_CONFORMANT' | 'ERROR' | 'UNKNOWN';
  readonly results: readonly {
    readonly workload: string;
    readonly image: string;
    readonly verdict: string;
    readonly explanation: string;
  }[];
}

/** `binauthz.check/v1` */
export interface CheckResult extends ResultBase {
  readonly schema: 'binauthz.check/v1';
  readonly verdict: Verdict;
  readonly policy: string;
  readonly target: CheckedTarget;
  readonly images: readonly CheckedImage[];
  readonly platformPolicies: readonly PlatformPolicyResult[];
  readonly assumptions: readonly string[];
}

/** An error in the form that results carry. */
export function reportOf(error: BinauthzError): ErrorReport {
  return {
    code: error.code,
    message: error.message,
    ...(error.resource === undefined ? {} : { resource: error.resource }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    exitCode: error.exitCode,
  };
}

/** A vulnerability of an image. */
export interface VulnerabilityFinding {
  readonly id: string;
  readonly package: string;
  readonly version: string;
  readonly fixedVersion: string | null;
  readonly severity: Severity | 'UNKNOWN';
  readonly cvss: number | null;
  /** NOT_JUDGED where no policy was given. */
  readonly verdict: FindingVerdict;
  /** Of a WAIVED finding; or the expired waiver of a DENIED one. */
  readonly waiver?: { readonly owner: string; readonly reason: string; readonly expires: string };
  /** Why it is denied, or would be without its waiver. */
  readonly reasons?: readonly VulnerabilityReason[];
  /** The platforms of an index that it is in. */
  readonly platforms?: readonly string[];
}

/** A manifest that was scanned: the image, or one platform of an index. */
export interface ScannedManifest {
  readonly digest: string;
  readonly platform?: string;
  readonly scan: ScanState;
  /** RFC 3339. */
  readonly lastScanTime?: string;
}

/** An image and its vulnerabilities. */
export interface VulnerableImage {
  /** `registry/repository@sha256:…` */
  readonly image: string;
  readonly digest: string;
  /** The worst state of its manifests. */
  readonly scan: ScanState;
  readonly verdict: VulnerabilityVerdict;
  readonly reasons: readonly VulnerabilityReason[];
  readonly findings: readonly VulnerabilityFinding[];
  readonly manifests: readonly ScannedManifest[];
}

/** `binauthz.vulnerabilities/v1` */
export interface VulnerabilitiesResult extends ResultBase {
  readonly schema: 'binauthz.vulnerabilities/v1';
  readonly verdict: VulnerabilityVerdict;
  readonly images: readonly VulnerableImage[];
}
