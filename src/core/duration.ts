// SPDX-License-Identifier: Apache-2.0

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `500ms`, `30s`, `5m`, `24h` or `30d`; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const found = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text);
  if (!found) return undefined;
  return Math.round(Number(found[1]) * UNIT_MS[found[2] as keyof typeof UNIT_MS]);
}

/** A duration as a person reads it: `412 ms`, `2.4 s`, `5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.round(ms / 6000) / 10} min`;
}

/** A long duration as a person reads it: `3 h`, `12.5 days`. */
export function formatAge(ms: number): string {
  if (ms < 3_600_000) return formatDuration(ms);
  return ms < 172_800_000 ? `${Math.round(ms / 360_000) / 10} h` : `${Math.round(ms / 8_640_000) / 10} days`;
}
