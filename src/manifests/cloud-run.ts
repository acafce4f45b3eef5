// SPDX-License-Identifier: Apache-2.0
import type { BreakGlass, CloudRunSetting } from '../core/deployment/image-use.js';
import type { Path } from '../documents/parse.js';
import type { Problem } from '../documents/problem.js';
import { v2Identity, type Place } from './kinds.js';
import { at, problemAt, textAt, titleOf, type Resource } from './resource.js';

/** What a Cloud Run resource says about Binary Authorization. */
export interface CloudRunFacts {
  readonly setting: CloudRunSetting;
  readonly breakGlass?: BreakGlass;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

const ANNOTATION = 'run.googleapis.com/binary-authorization';
const BREAK_GLASS_ANNOTATION = 'run.googleapis.com/binary-authorization-breakglass';

/** Reads the annotations of the resource itself (v1), or its `binaryAuthorization` (v2). */
export function cloudRunFacts(resource: Resource, place: Place): CloudRunFacts {
  return v2Identity(resource) ? v2Facts(resource) : v1Facts(resource, place);
}

function v1Facts(resource: Resource, { template }: Place): CloudRunFacts {
  const [policy, policyProblems] = annotation(resource, ANNOTATION);
  const [justification, problems] = annotation(resource, BREAK_GLASS_ANNOTATION);
  const setting = settingOf(policy);
  return {
    setting,
    ...breakGlassOf(justification, setting),
    problems: [...policyProblems, ...problems],
    notes: misplaced(resource, template),
  };
}

function v2Facts(resource: Resource): CloudRunFacts {
  const said = (key: string): unknown => at(resource.value, ['binaryAuthorization', key]);
  const isDefault = said('useDefault') ?? false;
  const path = ['binaryAuthorization', 'useDefault'];
  const problems = typeof isDefault === 'boolean' ? [] : [problemAt(resource, path, `expected true or false at ${path.join('.')}`)];
  const policy = isDefault === true ? 'default' : textAt(resource.value, ['binaryAuthorization', 'policy']);
  const setting = settingOf(policy);
  const justification = said('breakglassJustification');
  return { setting, ...breakGlassOf(typeof justification === 'string' ? justification : undefined, setting), problems, notes: [] };
}

function annotation(resource: Resource, name: string): readonly [string | undefined, readonly Problem[]] {
  const path = ['metadata', 'annotations', name];
  const value = at(resource.value, path);
  if (value === undefined || value === null) return [undefined, []];
  if (typeof value === 'string') return [value, []];
  return [
    undefined,
    [problemAt(resource, path, `expected a text as annotation ${name} of ${titleOf(resource)}, got a ${typeof value}: put it in quotes`)],
  ];
}

// Any other value names a policy: one that does not exist is for Google to refuse, and is never taken for "off".
function settingOf(value: string | undefined): CloudRunSetting {
  const policy = value?.trim() ?? '';
  if (policy === '') return { uses: 'nothing' };
  return policy === 'default' ? { uses: 'project-policy' } : { uses: 'platform-policy', policy };
}

function breakGlassOf(justification: string | undefined, setting: CloudRunSetting): { readonly breakGlass?: BreakGlass } {
  if (justification === undefined) return {};
  return { breakGlass: { by: 'cloud-run', value: justification, isEffective: setting.uses !== 'nothing' && justification.trim() !== '' } };
}

function misplaced(resource: Resource, template: Path): readonly string[] {
  return [ANNOTATION, BREAK_GLASS_ANNOTATION].flatMap((name) => {
    const path = [...template, 'metadata', 'annotations', name];
    if (at(resource.value, path) === undefined) return [];
    const line = resource.document.lineOf([...resource.path, ...path]);
    return [
      `${resource.document.file}:${line}: the annotation ${name} is on the template of ${titleOf(resource)}, where it does nothing: it belongs to the resource's own metadata`,
    ];
  });
}
