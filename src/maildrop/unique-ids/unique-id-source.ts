// Where unique-ids come from: the values of pop3d's option --uidl.

export const uniqueIdSources = ['filename', 'dovecot', 'courier'] as const;

export type UniqueIdSource = (typeof uniqueIdSources)[number];
