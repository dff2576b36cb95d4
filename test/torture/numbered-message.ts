// Messages for the torture test: name and content follow from a serial number, so that whoever reads one knows what it
// must be.

/** The base name; some say their sizes, as Dovecot's do. */
export function baseNameOf(serial: number): string {
  const name = `${1_700_000_000 + serial}.M${serial}P1.torture`;
  const content = contentOf(serial);
  return serial % 3 === 0 ? `${name},S=${content.length},W=${octetsOf(serial)}` : name;
}

/** The serial number in a base name or a unique-id. @throws Error for a name that is none of ours */
export function serialOf(name: string): number {
  const serial = /^[0-9]+\.M([0-9]+)P1\.torture/.exec(name)?.[1];
  if (serial === undefined) throw new Error(`no name of this test: ${name}`);
  return Number(serial);
}

/** The stored file: LF line ends, dots at line starts, a length of its own. */
export function contentOf(serial: number): string {
  const lines = Array.from({ length: (serial * 7) % 41 }, (_, index) =>
    index % 5 === 0 ? `.${serial}` : `line ${index} of ${serial}`,
  );
  return ['From: a@example.net', `Subject: ${serial}`, '', ...lines, ''].join('\n');
}

/** What RETR sends for it. */
export function sentContentOf(serial: number): string {
  return contentOf(serial).replaceAll('\n', '\r\n');
}

export function octetsOf(serial: number): number {
  return sentContentOf(serial).length;
}
