// Ordinary messages with what ordinary mail has: dots at line starts, 8-bit text, long bodies.

/** Four messages as an MTA hands them over: LF line ends, the last line complete. */
export function ordinaryMessages(): Buffer[] {
  const head = (serial: number): string =>
    [
      'Return-Path: <sender@example.net>',
      'Received: from mail.example.net (mail.example.net [192.0.2.25])',
      '\tby mx.example.org (Postfix) with ESMTP id 4F1A2B3C4D5E6',
      `\tfor <ann@example.org>; Mon, 23 Feb 2026 1${serial}:19:37 +0100 (CET)`,
      `Date: Mon, 23 Feb 2026 1${serial}:19:35 +0100`,
      'From: Sender <sender@example.net>',
      'To: ann@example.org',
      `Message-ID: <ordinary.${serial}@example.net>`,
      `Subject: Ordinary message ${serial}`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=UTF-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      '',
    ].join('\n');
  const bodies = [
    'A short one.\n',
    '.\n..\n.starts with a dot\nends with a dot.\n.\n\nlast line\n',
    'Viele Grüße aus Köln, ☃ und 日本\n\n-- \nSender\n',
    'All work and no play makes for a dull message, said the filler text.\n'.repeat(5000),
  ];
  return bodies.map((body, index) => Buffer.from(head(index + 1) + body));
}
