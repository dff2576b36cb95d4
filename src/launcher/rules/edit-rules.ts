// Edits the text of a rules file, leaving comments, order and spacing as they are. Pure.

import { formatTarget, parseRuleLine, type AccessRule } from './access-rules.js';

/**
 * Gives a network, or `default`, a level: on the line of its rule when it has one, else on a new
 * line at the end.
 *
 * @param target canonical, as `formatTarget` writes it
 * @param text the file's text, which parses
 */
export function setRule(text: string, target: string, level: number): string {
  const rule = tryFindRule(text, target);
  if (rule === null) {
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${target} ${level}\n`;
  }
  return replaceLine(text, rule.line, (line) => [
    line.replace(/^([ \t]*[^ \t]+[ \t]+)[0-9]+/, (_match, before: string) => `${before}${level}`),
  ]);
}

/** Removes the line of a rule. @returns null when there is none */
export function deleteRule(text: string, target: string): string | null {
  const rule = tryFindRule(text, target);
  return rule === null ? null : replaceLine(text, rule.line, () => []);
}

/** All rules of a text that parses, in the order of its lines. */
export function listRules(text: string): AccessRule[] {
  return text
    .split('\n')
    .map((line, index) => parseRuleLine(line, index + 1, ''))
    .filter((rule) => rule !== null);
}

function tryFindRule(text: string, target: string): AccessRule | null {
  return listRules(text).find((rule) => formatTarget(rule.target) === target) ?? null;
}

/** @param number from 1 */
function replaceLine(
  text: string,
  number: number,
  replace: (line: string) => readonly string[],
): string {
  return text
    .split('\n')
    .flatMap((line, index) => (index + 1 === number ? replace(line) : [line]))
    .join('\n');
}
