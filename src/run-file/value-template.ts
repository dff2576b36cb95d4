// The values of run file directives, with `%NAME%`, `%1`…`%9` and `%%`. Pure.

/** Pieces of a value: literal text, a parameter's number, or an environment variable's name. */
export type ValueTemplate = readonly (
  string | { readonly parameter: number } | { readonly variable: string }
)[];

/** What fills the gaps. */
export interface Substitutions {
  readonly environment: ReadonlyMap<string, string>;
  /** `%1` is the first. */
  readonly parameters: readonly string[];
}

/** A value that cannot be read or filled in. Whoever reads the file adds the place. */
export class ValueError extends Error {}

/** Linux takes no longer one. Lines that double a variable would soon fill the memory. */
export const maxValueLength = 131_071;

const gap = /%(?:(?<percent>%)|(?<digit>[0-9])|(?<name>[^%=\s]+)%|)/g;

/**
 * Reads a value. A digit after the percent sign makes a parameter: `%1` followed by `0` is the
 * first parameter and a zero.
 *
 * @throws ValueError for a percent sign that begins none of the forms, and for `%0`
 */
export function parseValue(text: string): ValueTemplate {
  const template: (string | { parameter: number } | { variable: string })[] = [];
  let end = 0;
  for (const match of text.matchAll(gap)) {
    if (match.index > end) template.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const { percent, digit, name } = match.groups ?? {};
    if (percent !== undefined) template.push('%');
    else if (digit === '0') throw new ValueError('there is no parameter %0');
    else if (digit !== undefined) template.push({ parameter: Number(digit) });
    else if (name !== undefined) template.push({ variable: name });
    else throw new ValueError('a percent sign stands alone (write %% for one)');
  }
  if (end < text.length) template.push(text.slice(end));
  return template;
}

/**
 * Fills in a value.
 *
 * @returns text without NUL of at most `maxValueLength`; what was filled in is not read again
 * @throws ValueError for a variable or parameter that is not set, and for a longer text
 */
export function fillIn(template: ValueTemplate, substitutions: Substitutions): string {
  const value = template
    .map((piece) => {
      if (typeof piece === 'string') return piece;
      if ('parameter' in piece) {
        const parameter = substitutions.parameters[piece.parameter - 1];
        if (parameter === undefined)
          throw new ValueError(`parameter %${piece.parameter} is not set`);
        return parameter;
      }
      const variable = substitutions.environment.get(piece.variable);
      if (variable === undefined)
        throw new ValueError(`environment variable ${piece.variable} is not set`);
      return variable;
    })
    .join('');
  if (value.length > maxValueLength) {
    throw new ValueError(`the value is longer than ${maxValueLength} characters`);
  }
  return value;
}
