// SPDX-License-Identifier: Apache-2.0
// A GKE platform policy's verdict on a Pod, in the form of EvaluateGkePolicyResponse.
import type { JsonObject } from '../../wire.js';
import { answer, type Asker, type Verdict } from './checks.js';
import { matchedPattern } from './images.js';
import type { Check } from './parse-checks.js';
import { isCatchAll, type CheckSet, type GkePolicy, type Scope } from './parse-policy.js';
import type { PodToJudge } from './workloads.js';

/** A part of the response with the verdict that counts upwards. */
interface Judged {
  readonly verdict: Verdict;
  readonly json: JsonObject;
}

/** The response for one Pod. */
export async function evaluate(policy: GkePolicy, pod: PodToJudge, asker: Asker): Promise<JsonObject> {
  const index = policy.checkSets.findIndex(({ scope }) => takes(scope, pod));
  const images = await Promise.all(pod.images.map((image) => judgeImage(policy, index, image, asker)));
  const verdict = worst(images);
  const result = {
    ...(pod.name === '' ? {} : { podName: pod.name }),
    kubernetesNamespace: pod.namespace,
    kubernetesServiceAccount: pod.serviceAccount,
    verdict,
    imageResults: images.map(({ json }) => json),
  };
  return { verdict, results: [result] };
}

function takes(scope: Scope, { namespace, serviceAccount }: PodToJudge): boolean {
  if (isCatchAll(scope)) return true;
  return scope.kubernetesNamespace === namespace || scope.kubernetesServiceAccount === `${namespace}:${serviceAccount}`;
}

async function judgeImage({ allowlist, checkSets }: GkePolicy, index: number, image: string, asker: Asker): Promise<Judged> {
  const pattern = matchedPattern(allowlist, image);
  const checkSet = checkSets[index];
  if (pattern !== undefined) return conformant({ imageUri: image, allowlistResult: { matchedPattern: pattern } });
  if (!checkSet) return conformant({ imageUri: image, explanation: 'The policy has no check sets: every image is allowed' });
  const { verdict, json } = await judgeCheckSet(checkSet, image, asker);
  return { verdict, json: { imageUri: image, verdict, checkSetResult: { ...indexJson(index), ...json } } };
}

function conformant(json: JsonObject): Judged {
  return { verdict: 'CONFORMANT', json: { ...json, verdict: 'CONFORMANT' } };
}

async function judgeCheckSet({ displayName, scope, allowlist, checks }: CheckSet, image: string, asker: Asker): Promise<Judged> {
  const head = { ...(displayName === '' ? {} : { displayName }), ...(isCatchAll(scope) ? {} : { scope }) };
  const pattern = matchedPattern(allowlist, image);
  if (pattern !== undefined) return { verdict: 'CONFORMANT', json: { ...head, allowlistResult: { matchedPattern: pattern } } };
  if (checks.length === 0) return { verdict: 'CONFORMANT', json: { ...head, explanation: 'The check set has no checks' } };
  const judged = await Promise.all(checks.map((check, index) => judgeCheck(check, index, image, asker)));
  return { verdict: worst(judged), json: { ...head, checkResults: { results: judged.map(({ json }) => json) } } };
}

async function judgeCheck({ displayName, allowlist, question }: Check, index: number, image: string, asker: Asker): Promise<Judged> {
  const head = { ...indexJson(index), ...(displayName === '' ? {} : { displayName }), type: question.type };
  const pattern = matchedPattern(allowlist, image);
  if (pattern !== undefined) return { verdict: 'CONFORMANT', json: { ...head, allowlistResult: { matchedPattern: pattern } } };
  const { verdict, explanation } = await answer(question, image, asker);
  return { verdict, json: { ...head, explanation, evaluationResult: { verdict } } };
}

/** An int64: a string, and absent where it is zero. */
function indexJson(index: number): JsonObject {
  return index === 0 ? {} : { index: String(index) };
}

/** At every level: non-conformance has precedence over errors. */
function worst(judged: readonly Judged[]): Verdict {
  const order: readonly Verdict[] = ['NON_CONFORMANT', 'ERROR'];
  return order.find((verdict) => judged.some((part) => part.verdict === verdict)) ?? 'CONFORMANT';
}
