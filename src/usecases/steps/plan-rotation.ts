// SPDX-License-Identifier: Apache-2.0
import { BinauthzError } from '../../core/errors.js';
import type { Digest } from '../../core/image/digest.js';
import type { AttestorName } from '../../core/names.js';
import { isCovered, nameOfCoverage } from '../../core/rotation/coverage.js';
import { isInShard, type Shard } from '../../core/rotation/shard.js';
import { decide, type Task } from '../../core/rotation/work.js';
import type { Gathered, GatheredImage } from './gather-images.js';
import type { NoteSurvey } from './survey-note.js';

/** What is known when a rotation is planned. */
export interface PlanInputs {
  readonly attestor: AttestorName;
  readonly survey: NoteSurvey;
  /** The id under which the attestor lists the new key; undefined where it does not yet. */
  readonly newKeyId: string | undefined;
  readonly shard: Shard | undefined;
}

/** Each digest of this shard once, and what is wrong with what was asked for. */
export interface RotationPlan {
  readonly tasks: readonly Task[];
  readonly errors: readonly BinauthzError[];
}

/** The work on everything under the note that verifies. */
export async function planNote(inputs: PlanInputs): Promise<RotationPlan> {
  const coverages = await inputs.survey.coverages((digest) => isInShard(digest, inputs.shard));
  const tasks = await Promise.all(coverages.map((coverage) => taskOf(coverage.digest, nameOfCoverage(coverage), inputs)));
  return { tasks, errors: failuresOf(tasks) };
}

/** The work on images that were gathered: each one's own digest, and those of its platforms that verify. */
export async function planImages(gathered: Gathered, inputs: PlanInputs): Promise<RotationPlan> {
  const tasks = new Map<Digest, Task>();
  const absences: BinauthzError[] = [];
  for (const image of gathered.images) {
    const children = await attestedChildren(image, inputs.survey);
    for (const task of await tasksOf(image, children, inputs)) {
      const platform = tasks.get(task.digest)?.platform ?? task.platform;
      tasks.set(task.digest, { ...task, ...(platform === undefined ? {} : { platform }) });
    }
    const isAttested = children.length > 0 || isCovered(await inputs.survey.coverageOf(image.digest));
    if (image.isNamed && !isAttested && isInShard(image.digest, inputs.shard)) absences.push(unattested(image, inputs));
  }
  const all = [...tasks.values()];
  const errors = [...absences, ...failuresOf(all)];
  return { tasks: all, errors: errors.length > 0 ? errors : nothingToDo(all, gathered, inputs) };
}

async function tasksOf({ digest, name }: GatheredImage, children: GatheredImage['children'], inputs: PlanInputs): Promise<readonly Task[]> {
  const repository = name.slice(0, name.lastIndexOf('@'));
  const mine = [{ digest, platform: undefined }, ...children].filter((each) => isInShard(each.digest, inputs.shard));
  return Promise.all(
    mine.map(async (each) => ({
      ...(await taskOf(each.digest, `${repository}@${each.digest}`, inputs)),
      ...(each.platform === undefined ? {} : { platform: each.platform }),
    })),
  );
}

async function taskOf(digest: Digest, name: string, { survey, newKeyId, attestor }: PlanInputs): Promise<Task> {
  const decision = decide(await survey.coverageOf(digest), newKeyId);
  if (decision.kind === 'nameless') {
    const message = `cannot rotate ${name}: its attestation by ${attestor} names no image, which a new one must`;
    return { digest, name, decision, error: new BinauthzError('ATTESTATION_NOT_VERIFIABLE', message, { resource: name, hint: HINT }) };
  }
  if (decision.kind !== 'unattested' || decision.doubt === undefined) return { digest, name, decision };
  const message = `cannot rotate ${name}: its attestation by ${attestor} is in doubt: ${decision.doubt}`;
  return { digest, name, decision, error: new BinauthzError('ATTESTATION_NOT_VERIFIABLE', message, { resource: name, hint: HINT }) };
}

const HINT = 'where the image may be trusted, attest it under its full name with the new key: binauthz attest NAME@sha256:… …';

function failuresOf(tasks: readonly Task[]): readonly BinauthzError[] {
  return tasks.flatMap(({ decision, error }) => (decision.kind === 'nameless' && error ? [error] : []));
}

// A child that nobody attested is left out, rather than called unattested: its index may be all that ever runs.
async function attestedChildren({ children }: GatheredImage, survey: NoteSurvey): Promise<GatheredImage['children']> {
  const found = await Promise.all(children.map(({ digest }) => survey.coverageOf(digest)));
  return children.filter((_, index) => isCovered(found[index]));
}

function unattested({ name, digest }: GatheredImage, { attestor, survey }: PlanInputs): BinauthzError {
  const hint = `a rotation signs only what verifies; where the image may be trusted, attest it: binauthz attest ${name} --attestor ${attestor} …`;
  if (!survey.holds(digest))
    return new BinauthzError('ATTESTATION_NOT_FOUND', `cannot rotate ${name}: it has no attestation by ${attestor}`, {
      resource: name,
      hint,
    });
  const message = `cannot rotate ${name}: none of its attestations verifies beyond doubt under a key that ${attestor} trusts`;
  return new BinauthzError('ATTESTATION_NOT_VERIFIABLE', message, { resource: name, hint });
}

// Of a shard's few images all may be others' to attest; of all images none would be the wrong list. Where something
// failed, that is the thing to say.
function nothingToDo(
  tasks: readonly Task[],
  { images, unknown, errors }: Gathered,
  { attestor, shard }: PlanInputs,
): readonly BinauthzError[] {
  const given = images.length + unknown.length;
  const isExplained = shard !== undefined || given === 0 || errors.length > 0 || unknown.some((image) => image.errors.length > 0);
  if (isExplained || tasks.some(({ decision }) => decision.kind !== 'unattested')) return [];
  const message = `cannot rotate any image: none of the ${given} given has an attestation that verifies by ${attestor}`;
  return [
    new BinauthzError('ATTESTATION_NOT_FOUND', message, {
      resource: attestor,
      hint: `compare them with what is attested: binauthz list --attestor ${attestor}`,
    }),
  ];
}
