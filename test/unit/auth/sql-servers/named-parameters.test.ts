import t from 'tap';
import { bindParameters } from '../../../../src/auth/sql-servers/named-parameters.js';

t.test('a parameter becomes the marker of its server, in order', (t) => {
  const sql = 'SELECT password FROM u WHERE a=:user AND b IN(:domain, :user)';
  t.same(bindParameters(sql, 'postgresql'), {
    text: 'SELECT password FROM u WHERE a=$1 AND b IN($2, $3)',
    parameters: ['user', 'domain', 'user'],
  });
  t.same(bindParameters(sql, 'mysql'), {
    text: 'SELECT password FROM u WHERE a=? AND b IN(?, ?)',
    parameters: ['user', 'domain', 'user'],
  });
  t.equal(
    bindParameters(sql, 'postgresql', new Set([3])).text,
    'SELECT password FROM u WHERE a=$1 AND b IN($2, $3::text)',
    'whose type PostgreSQL cannot find out',
  );
  t.end();
});

for (const [dialect, texts] of [
  [
    'postgresql',
    [
      "':user'",
      "'it''s :user'",
      "E'\\':user'",
      '":user"',
      '$$ :user $$',
      '$body$ $$ :user $body$',
      '-- :user\n',
      '/* /* */ :user */',
      'password::text',
      "'{1,2}'::int[]",
      'a[1:2]',
      'a[lower:upper]',
      "x'00'",
      'n := 1',
      'data ? :user'.replace(' :user', " 'x'"),
    ],
  ],
  [
    'mysql',
    [
      "':user'",
      "'it\\'s :user'",
      '":user"',
      '`:user`',
      '# :user\n',
      '-- :user\n',
      '/* :user */',
      '@n := 1',
      'a--1',
    ],
  ],
] as const) {
  for (const text of texts) {
    t.test(`${dialect} keeps ${JSON.stringify(text)} as it is`, (t) => {
      const sql = `SELECT ${text}, password FROM u WHERE name = :user`;
      const marker = dialect === 'mysql' ? '?' : '$1';
      t.same(bindParameters(sql, dialect), {
        text: `SELECT ${text}, password FROM u WHERE name = ${marker}`,
        parameters: ['user'],
      });
      t.end();
    });
  }
}

t.test('what cannot be meant is a lasting fault that says why', (t) => {
  for (const [sql, dialect, message] of [
    ['SELECT :name', 'postgresql', /has :name in it; there are :user, :domain/],
    ['SELECT $1', 'postgresql', /has \$1 in it: parameters are written :user/],
    ['SELECT ?', 'mysql', /has \? in it/],
    ["SELECT 'x", 'mysql', /without its end/],
    ['SELECT "x', 'postgresql', /without its end/],
    ['SELECT /* x', 'postgresql', /comment without its end/],
    ['SELECT /* x', 'mysql', /comment without its end/],
  ] as const) {
    t.throws(() => bindParameters(sql, dialect), { message, isLasting: true }, sql);
  }
  t.end();
});
