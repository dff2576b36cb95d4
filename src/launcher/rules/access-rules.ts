// Access rules: which level an address has. access-rules(5). Pure; rules-file.ts reads the file.

import type { Address } from './address.js';
import { formatNetwork, maskedBytes, NetworkError, parseNetwork, type Network } from './network.js';
import { tryWholeNumber } from '../../system/program/options.js';
import { ConfigurationError } from '../../system/failures/failures.js';

/** Highest level a rule can give. */
export const maxLevel = 2_147_483_647;

/** One line of a rules file. */
export interface AccessRule {
  /** From 1. */
  readonly line: number;
  readonly target: Network | 'default';
  /** 0: denied; 1: ordinary; 2 and more: trusted. */
  readonly level: number;
}

/** A rules file that says something wrong; the message starts with `FILE:LINE:`. */
export class AccessRulesError extends ConfigurationError {}

/** A parsed line: a rule, or null for a blank one and a comment. */
export function parseRuleLine(text: string, line: number, file: string): AccessRule | null {
  // Only space and tab are blanks. A CR before the LF is part of the line's end.
  const [target = '', level, surplus] = text
    .replace(/#.*|\r$/s, '')
    .split(/[ \t]+/)
    .filter((word) => word !== '');
  if (target === '') return null;
  const fail = (problem: string): never => {
    // A no-break space must not look like the space that it is not.
    const visible = problem.replace(
      /[^ -~]/gu,
      (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
    throw new AccessRulesError(`${file}:${line}: ${visible}`);
  };
  if (level === undefined) return fail(`"${target}" has no level after it`);
  if (surplus !== undefined) return fail(`unexpected "${surplus}" after the level`);
  return {
    line,
    target: parseTarget(target, fail),
    level: parseLevel(level) ?? fail(badLevel(level)),
  };
}

/**
 * Leading zeros are refused, as in addresses and prefixes: who writes `010` may mean 8.
 *
 * @returns null when it is no whole number from 0 to `maxLevel`
 */
export function parseLevel(text: string): number | null {
  return /^0[0-9]/.test(text) ? null : tryWholeNumber(text, 0, maxLevel);
}

/** What to say of a level that is none. */
export function badLevel(text: string): string {
  return `"${text}" is no level from 0 to ${maxLevel}`;
}

/** `ADDRESS/PREFIX` in canonical form, or `default`: the same for rules that are about the same. */
export function formatTarget(target: Network | 'default'): string {
  return target === 'default' ? target : formatNetwork(target);
}

function parseTarget(target: string, fail: (problem: string) => never): Network | 'default' {
  if (target === 'default') return target;
  try {
    return parseNetwork(target);
  } catch (error) {
    if (error instanceof NetworkError) return fail(error.message);
    throw error;
  }
}

/** The rules of one family with one length of prefix, by the latin1 text of the masked bytes. */
interface PrefixTable {
  readonly prefix: number;
  readonly rules: Map<string, AccessRule>;
}

export class AccessRules {
  /** Longest prefix first. */
  readonly #tables: { readonly 4: PrefixTable[]; readonly 6: PrefixTable[] } = { 4: [], 6: [] };
  #default: AccessRule | undefined;
  #highestLevel = 0;

  /** The rule for everybody else; null without one. */
  get defaultRule(): AccessRule | null {
    return this.#default ?? null;
  }

  /** Whether there is no rule at all, so that everybody is denied. */
  get isEmpty(): boolean {
    return this.#default === undefined && this.#tables[4].length + this.#tables[6].length === 0;
  }

  /** The highest level that any rule gives; 0 without rules. */
  get highestLevel(): number {
    return this.#highestLevel;
  }

  /**
   * Parses a rules file's text.
   *
   * @throws AccessRulesError for the first wrong line, and for the second rule of a network, naming
   *   both lines
   */
  static parse(text: string, file: string): AccessRules {
    const rules = new AccessRules();
    for (const [index, lineText] of text.split('\n').entries()) {
      const rule = parseRuleLine(lineText, index + 1, file);
      if (rule === null) continue;
      const earlier = rules.#add(rule);
      if (earlier !== undefined) {
        throw new AccessRulesError(
          `${file}:${rule.line}: ${formatTarget(rule.target)} has a rule already on line ${earlier.line}`,
        );
      }
    }
    return rules;
  }

  /** The rule with the longest prefix that matches, else `default`; null when there is neither. */
  lookUp(address: Address): AccessRule | null {
    return this.lookUpNetwork(address, address.bytes.length * 8);
  }

  /** The rule for a whole network: the one with the longest prefix up to the network's own. */
  lookUpNetwork({ family, bytes }: Address, longestPrefix: number): AccessRule | null {
    for (const { prefix, rules } of this.#tables[family]) {
      if (prefix > longestPrefix) continue;
      const rule = rules.get(keyOf(bytes, prefix));
      if (rule !== undefined) return rule;
    }
    return this.#default ?? null;
  }

  /** @returns the rule of the same network, when there is one; the new one is then not added */
  #add(rule: AccessRule): AccessRule | undefined {
    this.#highestLevel = Math.max(this.#highestLevel, rule.level);
    if (rule.target === 'default') {
      const earlier = this.#default;
      this.#default ??= rule;
      return earlier;
    }
    const { address, prefix } = rule.target;
    const { rules } = this.#tableFor(address.family, prefix);
    const key = keyOf(address.bytes, prefix);
    const earlier = rules.get(key);
    if (earlier === undefined) rules.set(key, rule);
    return earlier;
  }

  #tableFor(family: 4 | 6, prefix: number): PrefixTable {
    const tables = this.#tables[family];
    const found = tables.find((table) => table.prefix === prefix);
    if (found !== undefined) return found;
    const created = { prefix, rules: new Map<string, AccessRule>() };
    tables.push(created);
    tables.sort((a, b) => b.prefix - a.prefix);
    return created;
  }
}

/**
 * The level of an address and the rule that gave it.
 *
 * @param rules null when there are none at all: everybody then has level 1. With rules, who matches
 *   none has level 0
 */
export function decide(
  rules: AccessRules | null,
  address: Address,
): { readonly level: number; readonly rule: AccessRule | null } {
  const rule = rules?.lookUp(address) ?? null;
  return { level: rules === null ? 1 : (rule?.level ?? 0), rule };
}

function keyOf(bytes: readonly number[], prefix: number): string {
  return String.fromCharCode(...maskedBytes(bytes, prefix));
}
