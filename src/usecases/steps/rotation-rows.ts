// SPDX-License-Identifier: Apache-2.0
import type { BinauthzError } from '../../core/errors.js';
import type { Digest } from '../../core/image/digest.js';
import type { DependentImage, RotatedImage } from '../../core/operation-results.js';
import { reportOf } from '../../core/results.js';
import { nameOfCoverage, type Coverage } from '../../core/rotation/coverage.js';
import type { Task } from '../../core/rotation/work.js';
import type { Anew } from './attest-anew.js';
import type { Settled } from './concurrently.js';
import type { UnknownImage } from './gather-images.js';

/** What was attempted, by digest. */
export type Done = ReadonlyMap<Digest, Settled<Anew>>;

/** The images of a rotation, as its result shows them. */
export function imageRows(tasks: readonly Task[], unknown: readonly UnknownImage[], done: Done): readonly RotatedImage[] {
  return [...tasks.map((task) => taskRow(task, done.get(task.digest))), ...unknown.map(unknownRow)];
}

/** The images that still depend on other keys, as the result shows them. */
export function dependentRows(dependents: readonly Coverage[], platforms: ReadonlyMap<Digest, string>): readonly DependentImage[] {
  return dependents.map((coverage) => ({
    image: nameOfCoverage(coverage),
    ...platformOf(platforms.get(coverage.digest)),
    keys: coverage.keys.map(({ id }) => id),
  }));
}

function taskRow({ name, platform, decision, error }: Task, done: Settled<Anew> | undefined): RotatedImage {
  const base = { image: name, ...platformOf(platform) };
  switch (decision.kind) {
    case 'existing':
      return { ...base, status: 'existing', occurrence: decision.occurrence };
    case 'unattested':
      return { ...base, status: 'unattested', ...errorOf(error) };
    case 'nameless':
      return { ...base, status: 'failed', ...errorOf(error) };
    case 'attest':
      return { ...base, ...doneRow(done) };
  }
}

function doneRow(done: Settled<Anew> | undefined): Pick<RotatedImage, 'status' | 'occurrence' | 'error'> {
  if (!done) return { status: 'planned' };
  if (!done.ok) return { status: 'failed', ...errorOf(done.errors[0]) };
  const { status, occurrence, unseen } = done.value;
  return { status, occurrence, ...errorOf(unseen) };
}

function unknownRow({ name, errors }: UnknownImage): RotatedImage {
  return { image: name, status: errors.length > 0 ? 'failed' : 'unattested', ...errorOf(errors[0]) };
}

function platformOf(platform: string | undefined): { readonly platform?: string } {
  return platform === undefined ? {} : { platform };
}

function errorOf(error: BinauthzError | undefined): Pick<RotatedImage, 'error'> {
  return error === undefined ? {} : { error: reportOf(error) };
}
