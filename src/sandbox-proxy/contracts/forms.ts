import type { ContractForm } from './check-contracts.js';

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isPattern = (value: unknown): boolean => value instanceof RegExp;
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isNumber = (value: unknown): boolean => typeof value === 'number';

/** The source of a regular expression without groups and anchors, so that it can be put into another one. */
const isHostPattern = (value: unknown): boolean => {
  if (!isText(value) || /\((?!\?:)|[\^$]/.test(value as string)) return false;
  try {
    return new RegExp(`^(?:${value as string})$`) instanceof RegExp;
  } catch {
    return false;
  }
};

/** What each contract must have, by the names that the message of a refused start uses. */
export const FORMS = {
  directory: { name: 'SandboxDirectory', methods: ['locate', 'locateMany'], isRequired: true },
  ids: {
    name: 'SandboxIds',
    properties: { hostPattern: isHostPattern, description: isText },
    methods: ['isWellFormed'],
    isRequired: true,
  },
  apiKeys: {
    name: 'ApiKeyStore',
    properties: { pattern: isPattern },
    methods: ['digest', 'find', 'stillHold'],
    isRequired: true,
  },
  sessions: {
    name: 'SessionStore',
    properties: { pattern: isPattern },
    methods: ['find', 'begin', 'stillHold'],
    isRequired: false,
  },
  ports: { name: 'PortSettings', methods: ['find', 'findMany'], isRequired: false },
  feed: {
    name: 'ChangeFeed',
    properties: { isLive: isFlag, provenAtMs: isNumber },
    methods: ['subscribe'],
    isRequired: true,
  },
  routeCache: { name: 'SandboxRouteCache', methods: ['get', 'set', 'delete', 'clear'], isRequired: true },
  accessLog: { name: 'AccessLog', methods: ['record'], isRequired: true },
} as const satisfies Record<string, ContractForm>;

/** What a class in `schemes` must have. */
export const SCHEME_FORM: Omit<ContractForm, 'name'> = {
  properties: { name: isText },
  methods: ['find', 'admit', 'stillHold', 'forget'],
  isRequired: true,
};
