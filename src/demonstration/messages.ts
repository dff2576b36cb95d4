// The three messages of the demonstration, as an MTA would have stored them: LF line ends, 8-bit
// text as it is.

const addresses = (from: string, subject: string): string =>
  `From: ${from}\nTo: Demo User <demo@example.org>\nSubject: ${subject}\n`;

/** In the order of delivery. */
export const demonstrationMessages: readonly string[] = [
  `Return-Path: <welcome@example.org>
Received: from mail.example.org (mail.example.org [192.0.2.25])
\tby mx.example.org (Postfix) with ESMTP id 4dQk1x0bKzz3wRM
\tfor <demo@example.org>; Mon,  2 Nov 2026 09:00:02 +0000 (UTC)
Date: Mon, 02 Nov 2026 09:00:00 +0000
${addresses('Postmaster <welcome@example.org>', 'Welcome')}Message-ID: <20261102090000.1@mail.example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=US-ASCII

This message is a file in a Maildir, and pop3d has just sent it to you.
Nothing was renamed or locked to do that, and it stays there until you
mark it with DELE and end the session with QUIT.
`,
  `Return-Path: <anna@example.net>
Received: from out.example.net (out.example.net [198.51.100.7])
\tby mx.example.org (Postfix) with ESMTPS id 4dQw5m2XqTz3wSd
\tfor <demo@example.org>; Tue,  3 Nov 2026 17:41:10 +0000 (UTC)
Date: Tue, 03 Nov 2026 18:41:07 +0100
${addresses('=?UTF-8?Q?Anna_M=C3=BCller?= <anna@example.net>', '=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=')}Message-ID: <b7c1f0e2@out.example.net>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

Viele Grüße aus Köln! Für heute nur drei Punkte:

.
..
...
.forward ist eingerichtet
.profile auch

A line with a single dot ends a message on the wire, so dots that start a
line are doubled on the way and made single again by your client. You
should see one, two and three of them above.

-- 
Anna
`,
  `Return-Path: <bounces+demo=example.org@lists.example.com>
Received: from lists.example.com (lists.example.com [203.0.113.80])
\tby mx.example.org (Postfix) with ESMTP id 4dRZ9t6Jc4z3wTQ
\tfor <demo@example.org>; Wed,  4 Nov 2026 06:15:31 +0000 (UTC)
Date: Wed, 04 Nov 2026 06:15:30 +0000
${addresses('Mail Tools Digest <digest@lists.example.com>', '[mail-tools] Digest 42, 2 messages')}Message-ID: <digest.42@lists.example.com>
List-Id: <mail-tools.lists.example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_digest_42"

This is a multi-part message in MIME format.
--=_digest_42
Content-Type: text/plain; charset=US-ASCII

1. Maildir and clocks (Bea)
2. Re: Maildir and clocks (Carl)

--=_digest_42
Content-Type: message/rfc822

From: Bea <bea@example.com>
Subject: Maildir and clocks

Two files delivered within the same microsecond: which is message 1?

--=_digest_42
Content-Type: message/rfc822

From: Carl <carl@example.com>
Subject: Re: Maildir and clocks

The one whose name sorts first. It only has to be the same one every time.

--=_digest_42--
`,
];
