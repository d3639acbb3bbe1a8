/** For applications that do not run on Node 20: the package of npm that brings another. */
export const NODE_24 = { node: '24.21.0' } as const;
