// SPDX-License-Identifier: Apache-2.0

/** The first pattern that exempts this image, compared as written: nothing is added to either (facts: docs policy-yaml-reference). */
export function exemptingPattern(patterns: readonly string[], image: string): string | undefined {
  return patterns.find((pattern) => matchesPattern(pattern, image));
}

/** Whether an allowlist pattern of a project policy matches: `**` is any rest, `*` a rest without a slash. */
export function matchesPattern(pattern: string, image: string): boolean {
  if (pattern.endsWith('**')) return image.startsWith(pattern.slice(0, -2));
  if (!pattern.endsWith('*')) return image === pattern;
  const prefix = pattern.slice(0, -1);
  return image.startsWith(prefix) && !image.slice(prefix.length).includes('/');
}
