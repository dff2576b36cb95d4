// The part of WebAssembly's JavaScript interface that is used here: Node has it, its type
// declarations leave it to browsers'.

declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface Instance {
    readonly exports: unknown;
  }
  const Module: new (bytes: Uint8Array) => object;
  const Instance: new (module: object) => Instance;
}
