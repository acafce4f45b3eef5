// SPDX-License-Identifier: Apache-2.0
// Planned misbehaviour: which rule acts on a request, and how a response is corrupted.
import { parseFaults, type FaultRule } from './fault-rules.js';
import type { Reply } from './router.js';
import { isObject, type JsonObject } from './wire.js';
import type { Settings } from './world.js';

interface Armed {
  readonly rule: FaultRule;
  skipped: number;
  acted: number;
}

/** The faults that are set, and the settings that travel in the same document. */
export class Faults {
  /** Live settings: handlers read them at each call. */
  readonly settings: Settings;
  private armed: Armed[] = [];

  constructor(private readonly initial: Readonly<Settings>) {
    this.settings = { ...initial };
  }

  /** Replaces everything that was set; what the document leaves out returns to its start value. */
  set(document: unknown): void {
    const { rules, propagationDelayMs, duplicates } = parseFaults(document);
    this.settings.propagationDelayMs = propagationDelayMs ?? this.initial.propagationDelayMs;
    this.settings.duplicates = duplicates ?? this.initial.duplicates;
    this.armed = rules.map((rule) => ({ rule, skipped: 0, acted: 0 }));
  }

  /** Clears the rules and returns the settings to their start values. */
  reset(): void {
    this.set({});
  }

  /** The rule that acts on this request, counted as used; undefined lets the request through. */
  take(method: string, paths: readonly string[]): FaultRule | undefined {
    for (const entry of this.armed) {
      const { rule } = entry;
      if (entry.acted === rule.times || !rule.method.test(method) || !paths.some((path) => rule.path.test(path))) continue;
      if (entry.skipped < rule.after) {
        entry.skipped += 1;
        continue;
      }
      entry.acted += 1;
      return rule;
    }
    return undefined;
  }
}

/** The reply with every JSON member named `field` altered, wherever it stands; other replies stay as they are. */
export function corrupt(reply: Reply, field: string): Reply {
  if (reply.json !== undefined) return { ...reply, json: alterMember(JSON.parse(JSON.stringify(reply.json)), field) };
  const document = jsonDocument(reply.bytes);
  return document === undefined ? reply : { ...reply, bytes: Buffer.from(JSON.stringify(alterMember(document, field))) };
}

/** A manifest is JSON too, though it travels as the bytes that were pushed. */
function jsonDocument(bytes: Uint8Array | undefined): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function alterMember(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map((item) => alterMember(item, field));
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, item] of Object.entries(value)) result[name] = name === field ? alter(item) : alterMember(item, field);
  return result;
}

function alter(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return alterText(value);
  if (Array.isArray(value)) return value.map(alter);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, alter(item)])) : value;
}

/** Another value of the same form, so that only a check of the content notices: a number, base64, or plain text. */
function alterText(text: string): string {
  if (/^-?\d+$/.test(text)) return String(BigInt(text) ^ 1n);
  // A resource name can look like base64; it should go on looking like a name.
  if (!text.startsWith('projects/') && text.length % 4 === 0 && text.length >= 8 && /^[A-Za-z0-9+/]+={0,2}$/.test(text))
    return flipByte(text);
  const at = text.search(/[A-Za-z0-9](?=[^A-Za-z0-9]*$)/);
  if (at < 0) return `${text}0`;
  return `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
}

function flipByte(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x01;
  return bytes.toString('base64');
}
