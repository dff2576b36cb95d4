// A Map whose members come and go by the thousand. Map makes a new table every few dozen of them
// and leaves a pointer to it in the last one, for iterators. Once a table has grown old,
// collections of young garbage keep all tables that come after it, with everything that was ever in
// them. Here what is left in old tables is an empty cell. Measured with 60,000 sessions of 200
// objects, 16 at a time: 1.8 s of processor time and a longest pause of 58 ms, against 6.8 s and
// 570 ms with a Map.

interface Cell<V> {
  value: V | undefined;
}

/** @typeParam K numbers or strings: keys stay in old tables */
export class ChurningMap<K extends number | string, V> {
  readonly #cells = new Map<K, Cell<V>>();

  get size(): number {
    return this.#cells.size;
  }

  get(key: K): V | undefined {
    return this.#cells.get(key)?.value;
  }

  set(key: K, value: V): void {
    const cell = this.#cells.get(key);
    if (cell === undefined) this.#cells.set(key, { value });
    else cell.value = value;
  }

  /** @returns whether there was one */
  delete(key: K): boolean {
    const cell = this.#cells.get(key);
    if (cell !== undefined) cell.value = undefined;
    return this.#cells.delete(key);
  }

  /** In the order in which their keys came. Members may be deleted meanwhile. */
  *entries(): Generator<readonly [K, V]> {
    for (const [key, { value }] of this.#cells) if (value !== undefined) yield [key, value];
  }

  *values(): Generator<V> {
    for (const [, value] of this.entries()) yield value;
  }
}
