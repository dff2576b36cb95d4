// Messages to measure with: lines of words as mail has them, some with a dot in front, the same in every run.

export type LineEnd = 'LF' | 'CRLF';

const bodies = new Map<string, string>();

/** A message of about `octets` octets; no two serials give the same. */
export function makeMessage(serial: number, octets: number, lineEnd: LineEnd): string {
  const end = lineEnd === 'LF' ? '\n' : '\r\n';
  const header = [
    `Return-Path: <a${serial}@example.net>`,
    `Message-ID: <${serial}@example.net>`,
    'From: A <a@example.net>',
    'To: b@example.org',
    `Subject: message ${serial}`,
    'Date: Sat, 21 Nov 2026 08:00:00 +0000',
    '',
    '',
  ].join(end);
  return header + body(serial % 8, octets - header.length, end);
}

function body(variant: number, octets: number, end: string): string {
  const key = `${variant} ${Math.ceil(octets / 64)} ${end}`;
  const known = bodies.get(key);
  if (known !== undefined) return known;
  const random = generator(variant + 1);
  const lines: string[] = [];
  for (let length = 0; length < octets;) {
    const line = (random() % 50 === 0 ? '.' : '') + words(random);
    lines.push(line);
    length += line.length + end.length;
  }
  const made = lines.join(end) + end;
  bodies.set(key, made);
  return made;
}

/** 20 to 76 characters. */
function words(random: () => number): string {
  const length = 20 + (random() % 57);
  let line = '';
  while (line.length < length) {
    const word = (random() % 36 ** 4).toString(36);
    line += line === '' ? word : ` ${word}`;
  }
  return line.slice(0, length).trimEnd();
}

/** Numbers 0…2^31-1 of the linear congruence of ISO C's example, from its better upper bits. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) ^ (state >>> 17);
  };
}
