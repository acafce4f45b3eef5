// SPDX-License-Identifier: Apache-2.0
// IAM policies: who is to have which role, what is missing, and a policy with it, everybody else's bindings untouched.

/** One member with one role on a resource. */
export interface Grant {
  readonly role: string;
  readonly member: string;
}

/** A binding as IAM answers it. */
export interface IamBinding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: unknown;
}

/** An IAM policy; members that are not known here stay in `rest` and go back as they came. */
export interface IamPolicy {
  readonly bindings: readonly IamBinding[];
  readonly etag: string;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** Those of the grants that a policy does not hold. A conditional binding holds nothing: whether it acts is not known here. */
export function missingGrants(policy: IamPolicy | undefined, grants: readonly Grant[]): readonly Grant[] {
  const bindings = policy?.bindings.filter(({ condition }) => condition === undefined) ?? [];
  const holds = ({ role, member }: Grant): boolean =>
    bindings.some((binding) => binding.role === role && binding.members.some((other) => isSameMember(other, member)));
  return grants.filter((grant) => !holds(grant));
}

/** The policy with these grants as well. */
export function withGrants(policy: IamPolicy, grants: readonly Grant[]): IamPolicy {
  const bindings = [...policy.bindings];
  for (const { role, member } of missingGrants(policy, grants)) {
    const at = bindings.findIndex((binding) => binding.role === role && binding.condition === undefined);
    const found = bindings[at];
    if (found) bindings[at] = { ...found, members: [...found.members, member] };
    else bindings.push({ role, members: [member] });
  }
  return { ...policy, bindings };
}

// IAM answers addresses in lower case, however they were given.
function isSameMember(one: string, other: string): boolean {
  const normal = (member: string): string => (/^(?:user|serviceAccount|group|domain):/.test(member) ? member.toLowerCase() : member);
  return normal(one) === normal(other);
}
